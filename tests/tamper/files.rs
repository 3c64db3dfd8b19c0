//! Attacks on the files of a copy: what else can lie where an object belongs.

use super::*;
use crate::support::check_log::verified;
use crate::support::forge::forge;
use servanda::store::dir::PublicDir;
use servanda::verify::Held;
use std::fs;
use std::path::Path;

fn copy(objects: &Objects, folder: &Path) {
    for (name, bytes) in objects {
        let path = folder.join(name.strip_prefix("public/").unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_folder_a_link_or_a_pipe_in_an_objects_place_is_a_finding() {
    let model = model();
    let objects = forge(model.leaves());
    let policy = model.policy(false);
    let held = Held { policy: Some(&policy), log: Some(model.log_id()), checkpoint: None };
    for name in ["checkpoint", "charter.toml", "tile/0/000.p/10", "tile/entries/000.p/10"] {
        for (what, place) in [("link", 0), ("folder", 1), ("socket", 2), ("nothing", 3)] {
            let folder = tempfile::tempdir().unwrap();
            copy(&objects, folder.path());
            let path = folder.path().join(name);
            let kept = folder.path().join("kept");
            fs::rename(&path, &kept).unwrap();
            match place {
                0 => std::os::unix::fs::symlink(&kept, &path).unwrap(),
                1 => fs::create_dir(&path).unwrap(),
                2 => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
                _ => {}
            }
            let store = PublicDir::open(folder.path()).unwrap();
            let found = said(&verified(&store, held).0);
            let code = if place == 3 { "missing" } else { "not-an-object" };
            assert!(found.contains(&(name.to_owned(), code)), "{what} at {name}: {found:?}");
            // Put back, it is the log again.
            if place == 1 {
                fs::remove_dir(&path).unwrap()
            } else {
                drop(fs::remove_file(&path))
            }
            fs::rename(&kept, &path).unwrap();
            assert_eq!(verified(&store, held).0, []);
        }
    }
}

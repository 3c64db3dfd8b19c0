//! The README's chapter on the network, run as it stands: each terminal's commands by the shell, on other ports.
//!
//! A line that begins a server, a witness or the monitor is a terminal of its own, which goes on. The reader waits until the
//! monitor has told what was said last before stopping the server.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(90);

/// A terminal in which something goes on.
struct Terminal {
    verb: String,
    child: Child,
    shown: PathBuf,
}

impl Terminal {
    fn text(&self) -> String {
        fs::read_to_string(&self.shown).unwrap()
    }

    fn waits_for(&self, what: impl Fn(&str) -> bool, wanted: &str) {
        let begun = Instant::now();
        while !what(&self.text()) {
            assert!(begun.elapsed() < PATIENCE, "{}: no {wanted:?} in\n{}", self.verb, self.text());
            sleep(Duration::from_millis(20));
        }
    }

    fn interrupted(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who sits before the terminals.
struct Reader {
    folder: PathBuf,
    ports: [String; 3],
    exports: String,
    terminals: Vec<Terminal>,
    /// The title that was said last to the log that the monitor watches.
    said: Option<String>,
}

impl Reader {
    fn new(folder: &Path) -> Self {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port().to_string());
        Self { folder: folder.to_owned(), ports, exports: String::new(), terminals: Vec::new(), said: None }
    }

    fn command(&self, script: &str) -> Command {
        let mut script = script.to_owned();
        for (port, name) in self.ports.iter().zip(["7660", "7661", "7662"]) {
            script = script.replace(name, port);
        }
        let mut command = Command::new("sh");
        let binaries = Path::new(env!("CARGO_BIN_EXE_servanda")).parent().unwrap().display().to_string();
        let path = format!("{binaries}:{}", std::env::var("PATH").unwrap());
        command.args(["-euc", &script]).current_dir(&self.folder).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.env("PATH", path).env("HOME", &self.folder).env_remove("XDG_STATE_HOME");
        command
    }

    fn monitor(&self) -> Option<&Terminal> {
        self.terminals.iter().find(|terminal| terminal.verb == "monitor")
    }

    fn runs(&mut self, block: &str) {
        let mut script = String::new();
        for line in block.lines() {
            let verb = line.strip_prefix("servanda ").and_then(|rest| rest.split(' ').next());
            if let Some(verb @ ("serve" | "witness" | "monitor")) = verb {
                self.types(&std::mem::take(&mut script));
                self.opens(verb, line);
            } else if line.starts_with("# Ctrl-C") {
                self.types(&std::mem::take(&mut script));
                self.stops_the_server();
            } else {
                script.push_str(line);
                script.push('\n');
            }
        }
        self.types(&script);
    }

    fn types(&mut self, script: &str) {
        let done = self.command(&format!("{}{script}", self.exports)).output().unwrap();
        assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
        for line in script.lines() {
            if line.starts_with("export ") {
                self.exports.push_str(line);
                self.exports.push('\n');
            }
            if let Some(folder) = line.strip_prefix("cd ") {
                self.folder = self.folder.join(folder);
            }
            let title = line.split_once("--title \"").and_then(|(_, rest)| rest.split('"').next());
            if let Some(title) = title.filter(|_| !line.contains("--log ")) {
                self.said = Some(title.to_owned());
            }
        }
    }

    fn opens(&mut self, verb: &str, line: &str) {
        let shown = self.folder.join(format!("terminal-{}", self.terminals.len()));
        let out = File::create(&shown).unwrap();
        // The server's port is the usual one, so that no line names it.
        let port = if verb == "serve" { " --listen 127.0.0.1:7660" } else { "" };
        let mut command = self.command(&format!("exec {line}{port}"));
        let child = command.stdout(out).stderr(Stdio::null()).spawn().unwrap();
        let terminal = Terminal { verb: verb.to_owned(), child, shown };
        terminal.waits_for(|text| text.ends_with('\n'), "first line");
        self.terminals.push(terminal);
    }

    fn stops_the_server(&mut self) {
        if let (Some(monitor), Some(said)) = (self.monitor(), &self.said) {
            monitor.waits_for(|text| text.contains(said), said);
        }
        let server = self.terminals.iter().position(|terminal| terminal.verb == "serve").unwrap();
        self.terminals.remove(server).interrupted();
    }

    fn sees(&self, told: &str) {
        for told in told.lines() {
            self.monitor().unwrap().waits_for(|text| text.lines().any(|line| alike(told, line)), told);
        }
    }
}

/// Whether two lines differ only in words with digits: times, ids, ports.
fn alike(told: &str, line: &str) -> bool {
    let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    let (told, line): (Vec<_>, Vec<_>) = (told.split(' ').collect(), line.split(' ').collect());
    told.len() == line.len() && told.iter().zip(&line).all(|(a, b)| a == b || (has_digit(a) && has_digit(b)))
}

#[test]
fn the_readmes_five_terminals_show_what_it_says() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let chapter = readme.split("\n## ").find(|chapter| chapter.starts_with("Over the network\n")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(folder.path());
    let mut seen = 0;
    for block in chapter.split("\n```").skip(1).step_by(2) {
        let (kind, block) = block.split_once('\n').unwrap();
        match kind {
            "sh" => reader.runs(block),
            "text" => reader.sees(block),
            other => panic!("a block of {other:?}"),
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen} blocks");
}

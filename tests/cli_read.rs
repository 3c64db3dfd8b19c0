//! `log`, `show`, `export`, `open`, as a person runs them, over a log made with the library.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use serde_json::{Value, json};
use servanda::armor::File;
use servanda::charter::{Charter, KeySet, Officer};
use servanda::codec::{Bytes, encode};
use servanda::field::{Class, Handle, Instant, Short};
use servanda::hash::{Hash, ZEROS, sha256};
use servanda::key::vkey::Vkey;
use servanda::key::{ED25519, SigningKey};
use servanda::seal::Opening;
use servanda::statement::body::Found;
use servanda::statement::{self, Act, Head, Signature, Statement};
use servanda::store::dir::Dir;
use servanda::store::index::Index;
use servanda::submit::{Founding, Operator};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const ORIGIN: &str = "guarantees.example/paris";

/// A log in `paris`, with a trust file, and documents beside it.
struct Paris {
    desk: TempDir,
    operator: Operator,
    now: Instant,
    log: Hash,
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&sha256(name.as_bytes()).0)
}

fn handle(name: &str) -> Handle {
    name.parse().unwrap()
}

/// Two ministers who bind, one duty officer who observes and answers.
fn key_set(handle: &str) -> KeySet {
    use Class::{Commit, Govern, Observe, Operate, OperateLog};
    let officer = |title: &str, classes: &[Class]| Officer {
        title: Short::new(title).unwrap(),
        algorithm: ED25519,
        key: key(&format!("{handle} {title}")).public().to_bytes().to_vec().into(),
        classes: classes.iter().copied().collect(),
    };
    if handle == "operator" {
        return KeySet {
            officers: vec![officer("Registrar", &[Govern, OperateLog])].into(),
            thresholds: [1, 0, 0, 0, 1],
        };
    }
    let officers =
        vec![officer("Chancellor", &[Govern, Commit]), officer("Duty officer", &[Operate, Observe])];
    KeySet { officers: officers.into(), thresholds: [1, 1, 1, 1, 0] }
}

fn sign(s: &Statement, author: &str, officers: &[u8]) -> (Vec<u8>, Vec<Signature>) {
    let bytes = s.encode().unwrap();
    let (id, set) = (statement::id(&bytes), key_set(author));
    let title = |n: &u8| set.officers[usize::from(*n)].title.to_string();
    let one = |n: &u8| statement::sign(&id, *n, &key(&format!("{author} {}", title(n))));
    (bytes, officers.iter().map(one).collect())
}

impl Paris {
    fn founded() -> Self {
        let now: Instant = "2026-12-01T09:00Z".parse().unwrap();
        let partner = |name: &str, display: &str, role: &str| {
            let keys = key_set(name).digest(&handle(name));
            json!({"handle": name, "name": display, "roles": [role], "keys": keys})
        };
        let charter: Charter = serde_json::from_value(json!({
            "origin": ORIGIN, "title": "Paris Framework", "language": "en", "level": 1,
            "partners": [partner("de", "Germany", "guarantor"), partner("ua", "Ukraine", "beneficiary")],
            "annexes": [],
            "rules": {"incident_quorum": {
                "count": 1, "roles": ["beneficiary"], "aspects": ["occurred"], "disputes": "against",
            }},
        }))
        .unwrap();
        let text = b"the charter as written".to_vec();
        let vkey = Vkey::log(ORIGIN, key("log").public()).unwrap();
        let found = Act::Found(Found {
            charter,
            text: sha256(&text),
            keys: key_set("operator"),
            vkey: Short::new(vkey.to_string()).unwrap(),
        });
        let statement = Statement {
            version: 1,
            log: ZEROS,
            author: Handle::operator(),
            class: 0,
            seq: 0,
            prev: ZEROS,
            seen: Head::default(),
            issued_at: now,
            expires_at: now.plus_ms(86_400_000),
            kind: 0,
            body: found.encode_body().into(),
        };
        let (statement, signatures) = sign(&statement, "operator", &[0]);
        let log = statement::id(&statement);
        let desk = tempfile::tempdir().unwrap();
        let home = desk.path().join("paris");
        let store = Box::new(Dir::create(&home).unwrap());
        let index = Index::open(&home.join("private/index.redb")).unwrap();
        let founding = Founding { statement, signatures, charter_text: text };
        let operator = Operator::found(store, None, index, founding, now, &key("log")).unwrap();
        let policy = format!("log {vkey}\nquorum none\n");
        let trust = format!("log = \"{log}\"\norigin = \"{ORIGIN}\"\npolicy = \"\"\"\n{policy}\"\"\"\n");
        fs::write(desk.path().join("pinned.toml"), trust).unwrap();
        let mut paris = Self { desk, operator, now, log };
        for name in ["de", "ua"] {
            paris.say(name, Class::Govern, &json!({"accede": {"keys": key_set(name)}}), &[0, 1]);
        }
        paris
    }

    fn statement(&self, author: &str, class: Class, act: &Value) -> Statement {
        let act: Act = serde_json::from_value(act.clone()).unwrap();
        let history = self.operator.history();
        let chain = history.chain(&handle(author), class);
        Statement {
            version: 1,
            log: self.log,
            author: handle(author),
            class: class.number(),
            seq: chain.seq,
            prev: chain.prev,
            seen: history.head(),
            issued_at: self.now,
            expires_at: self.now.plus_ms(86_400_000),
            kind: act.kind().number(),
            body: act.encode_body().into(),
        }
    }

    fn say(&mut self, author: &str, class: Class, act: &Value, officers: &[u8]) -> Hash {
        self.now = self.now.plus_ms(60_000);
        let (bytes, signatures) = sign(&self.statement(author, class, act), author, officers);
        self.operator.admit(&bytes, &signatures, self.now).unwrap();
        self.operator.publish(&key("log")).unwrap();
        statement::id(&bytes)
    }

    fn pledge(&mut self, title: &str, more: &Value) -> Hash {
        let mut terms = json!({
            "title": title, "instruments": ["military"], "force": "political", "valid_from": "2024-02-16T00:00:00Z",
            "quantity": "exactly 7100000000 EUR",
        });
        terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.say("de", Class::Commit, &json!({"pledge": {"to": ["ua"], "terms": {"open": terms}}}), &[0])
    }

    fn path(&self) -> &Path {
        self.desk.path()
    }

    /// Runs the command line without a terminal; gives exit code, standard output and standard error.
    fn run(&self, line: &str) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        let words = line.split_whitespace();
        let output = command.current_dir(self.path()).args(words).stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn good(&self, line: &str) -> String {
        let (code, out, err) = self.run(&format!("{line} --log paris --trust pinned.toml"));
        assert_eq!(code, 0, "{line}: {out}{err}");
        out
    }

    /// Writes what opens a sealed value, and gives its seal.
    fn seal(&self, file: &str, field: &str, value: Vec<u8>) -> Hash {
        let opening = Opening {
            log: self.log,
            author: handle("de"),
            field: Short::new(field).unwrap(),
            salt: sha256(file.as_bytes()),
            value: Bytes(value),
        };
        fs::write(self.path().join(file), File::Opening.write(&opening).unwrap()).unwrap();
        opening.seal()
    }
}

fn document(label: &str, bytes: &[u8]) -> Value {
    json!({
        "label": label, "media_type": "text/plain", "language": "en", "standing": "authentic", "size": bytes.len(),
        "sha256": sha256(bytes),
    })
}

#[test]
fn log_lists_a_line_an_entry_filtered_reversed_limited() {
    let mut paris = Paris::founded();
    let pledge = paris.pledge("Military assistance in 2024", &json!({}));
    paris.say("ua", Class::Commit, &json!({"accept": {"statements": [pledge]}}), &[0]);
    let all = paris.good("log");
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.len(), 5, "{all}");
    let want = format!(
        "3  2026-12-01T09:03:00Z      de        {}  pledges to ua: Military assistance in 2024 (exactly 7,100,000,000 EUR)",
        pledge.short()
    );
    assert_eq!(lines[3], want);
    assert!(lines[0].starts_with("0  2026-12-01T09:00:00Z      operator  "), "{all}");
    assert!(lines[4].ends_with(&format!("accepts {}", pledge.short())), "{all}");
    assert_eq!(paris.good("log --author de --kind pledge").lines().collect::<Vec<_>>(), [want.as_str()]);
    assert_eq!(paris.good("log --kind 1").lines().count(), 2);
    assert_eq!(paris.good("log --reverse --limit 2").lines().collect::<Vec<_>>(), [lines[4], lines[3]]);
    let object: Value =
        serde_json::from_str(paris.good("log --json --author ua --kind accept").trim()).unwrap();
    assert_eq!((&object["index"], &object["author"]), (&json!(4), &json!("ua")));
    let (code, out, err) = paris.run("log --log paris --kind pleadge");
    assert!(code == 2 && out.is_empty() && err.contains("one of found, accede,"), "{err}");
}

#[test]
fn without_a_trust_file_it_says_so() {
    let paris = Paris::founded();
    for verb in ["log", "show @0", "export"] {
        let (code, _, err) = paris.run(&format!("{verb} --log paris"));
        assert!(
            code == 0 && err.contains("not pinned") && err.contains(&paris.log.to_string()),
            "{verb}: {err}"
        );
        let (_, _, err) = paris.run(&format!("{verb} --log paris --trust pinned.toml"));
        assert!(!err.contains("not pinned") && err.contains("quorum none"), "{verb}: {err}");
    }
}

#[test]
fn a_hostile_title_repaints_nothing() {
    let mut paris = Paris::founded();
    paris.pledge(
        "Nothing\u{1b}[2K\r4  2026-12-01\u{202e}\n9  forged",
        &json!({"text": "\u{1b}[31m\n  quantity  none"}),
    );
    for verb in ["log", "show @3", "export --format csv"] {
        let out = paris.good(verb);
        assert!(!out.contains(['\u{1b}', '\r', '\u{202e}']), "{verb}: {out}");
        assert!(
            !out.lines().any(|l| l.starts_with("9  forged") || l.starts_with("  quantity  none")),
            "{out}"
        );
        assert!(out.contains("\\u{1b}[2K\\r4") && out.contains("\\u{202e}\\n9"), "{verb}: {out}");
    }
}

#[test]
fn show_gives_all_of_an_entry_and_who_signed_it() {
    let mut paris = Paris::founded();
    let id = paris.pledge("Military assistance in 2024", &json!({}));
    for name in [
        id.to_string(),
        id.to_string()[..6].to_owned(),
        id.to_string()[..4].to_uppercase(),
        "@3".to_owned(),
        "#3".to_owned(),
    ] {
        let out = paris.good(&format!("show {name}"));
        for want in [
            "Germany (de) pledges to Ukraine (ua): \"Military assistance in 2024\".",
            &format!("  id            {id}\n"),
            "  entry         3 of a log of size 4\n",
            "  sequenced     at 2026-12-01T09:03:00Z by the operator's clock\n",
            "  officer 0     \"Chancellor\" (govern, commit): the signature holds\n",
            "In order, as far as",
        ] {
            assert!(out.contains(want), "{want:?} in\n{out}");
        }
    }
    let out = paris.good("show @0");
    assert!(out.contains("The operator founds the log") && out.contains("\"Registrar\""), "{out}");
    let out = paris.good("show @1");
    assert!(out.contains("officer 1     \"Duty officer\" (operate, observe): the signature holds"), "{out}");
    let object: Value = serde_json::from_str(&paris.good("show @3 --json")).unwrap();
    assert_eq!(
        object["signers"][0],
        json!({"officer": 0, "title": "Chancellor", "classes": ["govern", "commit"], "holds": true})
    );
    assert_eq!((&object["act"]["pledge"]["to"][0], &object["pinned"]), (&json!("ua"), &json!(true)));
}

#[test]
fn an_entry_that_is_not_there_or_not_one_is_told() {
    let paris = Paris::founded();
    let refused = |line: &str| {
        let (code, out, err) = paris.run(&format!("show {line} --log paris --trust pinned.toml"));
        assert!(code == 2 && out.is_empty(), "{line}: {out}{err}");
        err
    };
    assert!(refused("@3").contains("error: there is no entry 3: the last one is 2\n"));
    assert!(refused("0000000000").contains("no statement in this log has an id that begins with 0000000000"));
    assert!(refused("abc").contains("no pledge or record here is called \"abc\""));
}

#[test]
fn ambiguous_ids_are_listed() {
    let mut paris = Paris::founded();
    // Enough statements that two share their first four digits.
    let mut seen = std::collections::HashMap::new();
    let (twin, digits) = loop {
        paris.now = paris.now.plus_ms(1);
        let n = paris.now.ms();
        let act =
            json!({"report": {"from": "2026-12-01", "to": "2026-12-01", "place": format!("place {n}")}});
        let (bytes, signatures) = sign(&paris.statement("ua", Class::Observe, &act), "ua", &[1]);
        let id = statement::id(&bytes);
        paris.operator.admit(&bytes, &signatures, paris.now).unwrap();
        if paris.operator.is_full() {
            paris.operator.commit().unwrap();
        }
        if let Some(twin) = seen.insert(id.to_string()[..4].to_owned(), id) {
            break ([twin, id], id.to_string()[..4].to_owned());
        }
    };
    paris.operator.publish(&key("log")).unwrap();
    let (code, out, err) = paris.run(&format!("show {digits} --log paris"));
    assert!(code == 2 && out.is_empty(), "{out}");
    assert!(
        err.contains(&format!("error: {digits} is the beginning of 2 ids\nhint: give more digits")),
        "{err}"
    );
    for id in twin {
        assert!(err.contains(&id.to_string()[..16]), "{err}");
        assert!(paris.good(&format!("show {}", &id.to_string()[..12])).contains(&id.to_string()));
    }
}

#[test]
fn the_index_answers_where_it_can_and_all_entries_where_it_cannot() {
    let mut paris = Paris::founded();
    let id = paris.pledge("One", &json!({}));
    // The operator holds the index.
    let (code, out, err) = paris.run(&format!("show {id} --log paris --trust pinned.toml"));
    assert!(code == 0 && out.contains("\"One\""), "{err}");
    assert!(
        err.contains("the index of ids, private/index.redb, is in use")
            && err.contains("reading all entries instead"),
        "{err}"
    );
    let Paris { desk, operator, .. } = paris;
    drop(operator);
    let run = |line: &str| {
        let command = Command::new(env!("CARGO_BIN_EXE_servanda"))
            .current_dir(desk.path())
            .args(line.split_whitespace())
            .output()
            .unwrap();
        (command.status.code(), String::from_utf8(command.stderr).unwrap())
    };
    let line = format!("show {id} --log paris --trust pinned.toml");
    let (code, err) = run(&line);
    assert!(code == Some(0) && !err.contains("index"), "{err}");
    // An index that lies finds nothing that is not there, and hides nothing.
    let index = Index::open(&desk.path().join("paris/private/index.redb")).unwrap();
    let (size, leaf) = index.state().unwrap();
    index.clear().unwrap();
    index.add(&[(id, 1)], size, leaf).unwrap();
    drop(index);
    assert_eq!(run(&line).0, Some(0));
    // A copy of the public part has none.
    assert_eq!(run(&line.replace("--log paris", "--log paris/public")).0, Some(0));
}

#[test]
fn export_writes_all_entries_and_overwrites_nothing() {
    let mut paris = Paris::founded();
    paris.pledge("=HYPERLINK(\"x\")", &json!({"reference": "DEU-M1"}));
    let lines = paris.good("export");
    let objects: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(objects.len(), 4);
    assert_eq!(objects[3]["act"]["pledge"]["terms"]["open"]["reference"], "DEU-M1");
    assert_eq!(
        (&objects[3]["kind"], &objects[3]["sequenced_at"]),
        (&json!(32), &json!("2026-12-01T09:03:00Z"))
    );
    let csv = paris.good("export --format csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heading: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| rows[row][heading.iter().position(|h| h == name).unwrap()].to_owned();
    assert_eq!(
        (cell(3, "amount"), cell(3, "bound"), cell(3, "unit")),
        ("7100000000".into(), "exactly".into(), "EUR".into())
    );
    assert_eq!(cell(3, "title"), "'=HYPERLINK(\"x\")");
    paris.good("export --out paris.jsonl");
    assert_eq!(fs::read_to_string(paris.path().join("paris.jsonl")).unwrap(), lines);
    let (code, _, err) = paris.run("export --log paris --out paris.jsonl");
    assert!(code == 2 && err.contains("paris.jsonl is there already; nothing was overwritten"), "{err}");
}

#[test]
fn documents_are_known_by_their_content() {
    let mut paris = Paris::founded();
    let text = b"The agreement, in English.\n";
    paris.pledge("Assistance", &json!({"annexes": [{"open": document("Agreement (English)", text)}]}));
    fs::write(paris.path().join("any-name"), text).unwrap();
    fs::write(paris.path().join("forged"), b"The agreement, in english.\n").unwrap();
    let out = paris.good("open any-name");
    assert!(out.contains(&format!("any-name: 27 bytes, SHA-256 {}", sha256(text))), "{out}");
    let row = out.lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        row.starts_with("3 de ")
            && row.ends_with("terms.annexes.0 en authentic text \"Agreement (English)\""),
        "{out}"
    );
    fs::write(paris.path().join("charter"), "the charter as written").unwrap();
    let out = paris.good("open charter");
    assert!(out.lines().last().unwrap().trim_end().ends_with("charter.toml"), "{out}");
    let (code, out, _) = paris.run("open any-name forged --log paris");
    assert!(code == 1 && out.contains("no statement in this log carries it openly"), "{out}");
    let (code, out, _) = paris.run("open forged any-name --json --log paris");
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &object["files"][0]["carried"], &object["files"][1]["carried"][0]["index"]),
        (1, &json!([]), &json!(3))
    );
    let (code, _, err) = paris.run("open missing --log paris");
    assert!(code == 2 && err.contains("could not read missing"), "{err}");
}

#[test]
fn what_was_sealed_opens_with_its_own_opening_alone() {
    let mut paris = Paris::founded();
    let text = b"Secret annex.\n";
    let quantity: servanda::statement::terms::Bounded = "up to 5 air defence systems".parse().unwrap();
    let annex: servanda::charter::Document = serde_json::from_value(document("Annex", text)).unwrap();
    let sealed_quantity = paris.seal("quantity.opening", "terms.quantity", encode(&quantity));
    let sealed_annex = paris.seal("annex.opening", "terms.annexes.0", encode(&annex));
    paris.seal("other.opening", "terms.annexes.0", encode(&quantity));
    let more = json!({"quantity": {"sealed": sealed_quantity}, "annexes": [{"sealed": sealed_annex}]});
    paris.pledge("Air defence", &more);
    fs::write(paris.path().join("annex.txt"), text).unwrap();

    let out = paris.good("show @3");
    let sealed =
        format!("  quantity      sealed (cannot be read here):\n                {sealed_quantity}\n");
    assert!(out.contains(&sealed), "{out}");
    let (code, out, _) = paris.run("open annex.txt --log paris");
    assert!(
        code == 2 && out.contains("1 annex is sealed, and cannot be compared without --opening"),
        "{out}"
    );
    let out = paris.good("open annex.txt --opening annex.opening --opening quantity.opening");
    assert!(out.contains("annex.opening opens terms.annexes.0 of entry 3, sealed by Germany (de)."), "{out}");
    assert!(out.contains("  quantity      at most 5 air defence systems\n"), "{out}");
    assert!(out.contains("terms.annexes.0 (opened)"), "{out}");
    let (code, out, _) = paris.run("open --opening other.opening --log paris");
    assert!(
        code == 1 && out.contains("opens nothing here: no statement of de in this log has its seal"),
        "{out}"
    );

    // Sealed terms with sealed parts in them.
    let terms: servanda::statement::terms::Terms = serde_json::from_value(json!({
        "title": "Inner", "instruments": ["political"], "force": "target", "valid_from": "2026-12-01",
        "quantity": {"sealed": sealed_quantity},
    }))
    .unwrap();
    let seal = paris.seal("terms.opening", "terms", encode(&terms));
    paris.say("de", Class::Commit, &json!({"pledge": {"to": ["ua"], "terms": {"sealed": seal}}}), &[0]);
    let object: Value =
        serde_json::from_str(&paris.good("open --json --opening quantity.opening --opening terms.opening"))
            .unwrap();
    assert_eq!(object["openings"][1]["value"]["title"], "Inner");
    assert_eq!(object["openings"][1]["index"], 4);
}

#[test]
fn a_flipped_byte_is_not_shown_but_told() {
    let mut paris = Paris::founded();
    paris.pledge("Military assistance in 2024", &json!({}));
    let path = paris.path().join("paris/public/tile/entries/000.p/4");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"2024").unwrap();
    bytes[at] = b'3';
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&path, permissions).unwrap();
    fs::write(&path, bytes).unwrap();
    for verb in ["show @3", "log", "export", "open pinned.toml"] {
        let (code, out, err) = paris.run(&format!("{verb} --log paris --trust pinned.toml"));
        assert!(code == 1 && !out.contains("3024"), "{verb}: {code} {out}");
        assert!(
            err.contains("is not what the checkpoint commits to") && err.contains("servanda verify"),
            "{err}"
        );
    }
}

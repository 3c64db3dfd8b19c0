//! That the words leave nothing out, tell apart what differs, and let no text pass for anything else.

use super::super::plain::{self, plain};
use super::*;
use serde_json::{Value, json as object};
use servanda::codec::encode;
use servanda::entry::SignedEntry;
use servanda::field::{Class, Instant};
use servanda::hash::Hash;
use servanda::statement::Head;

#[allow(dead_code, reason = "of all strategies only those for acts are needed here")]
#[path = "../../../tests/support/arbitrary.rs"]
mod arbitrary;

/// Every act, each of its fields filled in, as people draft it; digests are `a1`, `a2`, … 32 times.
const ACTS: &str = include_str!("every_act.json");

fn acts() -> Vec<Value> {
    let mut text = ACTS.to_owned();
    for n in 0x10..=0xff {
        let byte = format!("{n:02x}");
        text = text.replace(&format!("\"#{byte}\""), &format!("\"{}\"", byte.repeat(32)));
    }
    serde_json::from_str(&text).expect("the samples are JSON")
}

fn parse(value: &Value) -> Act {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"))
}

fn made(act: &Act) -> Statement {
    Statement {
        version: 1,
        log: Hash([0xb1; 32]),
        author: "de".parse().expect("handle"),
        class: act.kind().classes()[0].number(),
        seq: 2,
        prev: Hash([0xb2; 32]),
        seen: Head { size: 1207, leaf: Hash([0xb3; 32]) },
        issued_at: "2026-12-01T12:00:00Z".parse().expect("instant"),
        expires_at: "2026-12-08T12:00:00Z".parse().expect("instant"),
        kind: act.kind().number(),
        body: act.encode_body().into(),
    }
}

fn names(handle: &Handle) -> Option<String> {
    match handle.as_str() {
        "de" => Some("Germany".to_owned()),
        "ua" => Some("Ukraine".to_owned()),
        "xx" => Some("Germany (de)\u{202e}".to_owned()),
        _ => None,
    }
}

fn words(s: &Statement) -> Vec<String> {
    statement(s, &names)
}

/// The words without what the layout adds, for looking things up in them.
fn bare(text: &str) -> String {
    let layout = |c: char| c.is_whitespace() || matches!(c, '|' | ',' | '_' | '\\' | '\u{2068}' | '\u{2069}');
    text.chars().filter(|c| !layout(*c)).collect()
}

/// All texts and numbers in a value, with the key above each.
fn leaves<'v>(key: &'v str, value: &'v Value, out: &mut Vec<(&'v str, String)>) {
    match value {
        Value::String(text) => out.push((key, text.clone())),
        Value::Number(number) => out.push((key, number.to_string())),
        Value::Array(all) => all.iter().for_each(|v| leaves(key, v, out)),
        Value::Object(all) => all.iter().for_each(|(k, v)| leaves(k, v, out)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[test]
fn every_act_has_a_sample() {
    let kinds: Vec<_> = acts().iter().map(|v| parse(v).kind()).collect();
    for kind in Kind::ALL {
        assert!(kinds.contains(kind), "{}", kind.name());
    }
}

/// Looks for all texts and numbers of an act in its words.
fn nothing_is_left_out(act: &Act) {
    let shown = bare(&words(&made(act)).join("\n"));
    let mut all = Vec::new();
    // As it is encoded, so that what serde fills in is looked for, too.
    let full = serde_json::to_value(act).expect("json");
    leaves("", &full, &mut all);
    for (key, text) in all {
        let text = match key {
            "checkpoint" => String::from_utf8(hex::decode(&text).expect("hex")).unwrap_or(text),
            "starts" if text == "once_established" => "is established".to_owned(),
            "starts" if text == "either" => "or without a request once it is established".to_owned(),
            // The value of an opened seal is shown by its content.
            "value" if act.kind() == Kind::Reveal => continue,
            _ => text,
        };
        for line in text.split('\n') {
            let want = bare(&plain(line));
            assert!(shown.contains(&want), "{} leaves out {key}: {line:?}", act.kind().name());
        }
    }
}

#[test]
fn every_text_and_number_stands_in_the_words() {
    acts().iter().for_each(|value| nothing_is_left_out(&parse(value)));
}

proptest::proptest! {
    #[test]
    fn whatever_is_signed_stands_in_the_words(act in arbitrary::act()) {
        nothing_is_left_out(&act);
    }
}

/// Other values to put in the place of one, some of which fit its type.
fn others(value: &Value) -> Vec<Value> {
    let mut out: Vec<Value> = [
        "exactly",
        "at_least",
        "binding",
        "target",
        "translation",
        "extract",
        "occurred",
        "figures",
        "delivered",
        "declined",
        "against",
        "vetoes",
        "on_request",
        "either",
        "once_established",
        "military",
        "objection",
        "clarification",
        "in_full",
        "not_received",
        "govern",
        "observer",
        "2027-01-01",
        "2027-01-01T01:02:03Z",
        "7 days",
        "zz",
        "9",
        "another text",
    ]
    .iter()
    .map(|s| object!(s))
    .collect();
    out.extend([
        object!(null),
        object!(true),
        object!(false),
        object!(0),
        object!(9),
        object!([]),
        object!("ff".repeat(32)),
    ]);
    match value {
        Value::String(text) => out.extend([
            object!(format!("{text}x")),
            object!(format!("{text}.")),
            object!(format!("{text}\n")),
        ]),
        Value::Number(n) => out.push(object!(n.as_u64().map(|n| n + 1))),
        Value::Array(all) if !all.is_empty() => {
            out.push(object!(all[1..]));
            out.push(Value::Array(all.iter().chain(&all[..1]).cloned().collect()));
        }
        _ => {}
    }
    out
}

/// The pointers to all values within one.
fn pointers(at: String, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().enumerate().for_each(|(i, v)| pointers(format!("{at}/{i}"), v, out)),
        Value::Object(all) => all.iter().for_each(|(k, v)| pointers(format!("{at}/{k}"), v, out)),
        _ => {}
    }
    out.push(at);
}

#[test]
fn acts_that_differ_anywhere_read_differently() {
    for value in acts() {
        let act = parse(&value);
        // The id would differ in any case.
        let read = |act: &Act| {
            let mut lines = words(&made(act));
            lines.pop();
            lines.pop();
            lines
        };
        let before = read(&act);
        let full = serde_json::to_value(&act).expect("json");
        let mut all = Vec::new();
        pointers(String::new(), &full, &mut all);
        let mut changes = 0;
        for pointer in all {
            for other in others(full.pointer(&pointer).expect("a pointer of its own")) {
                let mut changed = full.clone();
                *changed.pointer_mut(&pointer).expect("as before") = other;
                let Ok(changed) = serde_json::from_value::<Act>(changed) else { continue };
                if changed != act {
                    changes += 1;
                    assert_ne!(read(&changed), before, "{pointer} of {}: {changed:?}", act.kind().name());
                }
            }
        }
        assert!(changes > 0, "{}", act.kind().name());
    }
}

#[test]
fn the_frame_is_signed_too_and_reads_differently() {
    let act = parse(&acts()[5]);
    let one = made(&act);
    let zero = Instant::default();
    let before = words(&one);
    for other in [
        Statement { version: 2, ..one.clone() },
        Statement { log: Hash([1; 32]), ..one.clone() },
        Statement { author: "ua".parse().expect("handle"), ..one.clone() },
        Statement { class: Class::Operate.number(), ..one.clone() },
        Statement { seq: 3, ..one.clone() },
        Statement { prev: Hash([1; 32]), ..one.clone() },
        Statement { seen: Head { size: 1208, ..one.seen }, ..one.clone() },
        Statement { seen: Head { leaf: Hash([1; 32]), ..one.seen }, ..one.clone() },
        Statement { issued_at: zero, ..one.clone() },
        Statement { expires_at: zero, ..one.clone() },
        Statement { kind: 71, ..one.clone() },
        Statement { body: vec![1].into(), ..one.clone() },
    ] {
        let after = words(&other);
        // All but the last two lines: the id differs in any case.
        assert_ne!(before[..before.len() - 1], after[..after.len() - 1]);
    }
    let text = before.join("\n");
    for want in [
        "author        Germany (de)",
        "class         commit (1): commitments",
        "place         the 3rd statement of de in class commit (seq 2)",
        "seen          a log of size 1207, whose last leaf hash was",
        "expires       at 2026-12-08T12:00:00Z, unless it is in the log by then",
    ] {
        assert!(text.contains(want), "{want} in\n{text}");
    }
}

#[test]
fn what_is_not_understood_is_said_and_shown() {
    let act = parse(&acts()[5]);
    let unknown = Statement { kind: 71, body: vec![1, 2, 0xfe].into(), ..made(&act) };
    let text = words(&unknown).join("\n");
    assert!(text.starts_with("A statement of Germany (de): act 71, not understood."), "{text}");
    assert!(text.contains("body          3 bytes\n                | 0102fe"), "{text}");
    assert_eq!(summary(&unknown), "de: act 71, not understood");
    let damaged = Statement { body: vec![9].into(), ..made(&act) };
    let text = words(&damaged).join("\n");
    assert!(text.contains("whose body cannot be read") && text.contains("1 byte\n"), "{text}");
}

#[test]
fn a_pledge_reads_as_people_would_say_it() {
    let pledge = acts().into_iter().find(|v| v.get("pledge").is_some()).expect("a pledge");
    let text = words(&made(&parse(&pledge))).join("\n");
    for want in [
        "Germany (de) pledges to Ukraine (ua) and pl: \"Military assistance in 2024\".",
        "quantity      at most 7,100,000,000 EUR",
        "withdrawal    takes effect 6 months after notice of it",
        "response      due within 24 hours of the call",
        "condition     called on request of Germany (de) or Ukraine (ua) once an",
        "annex 1       sealed (cannot be read here):",
        "need 0        \"approval by parliament\", declared by Germany (de)",
    ] {
        assert!(text.contains(want), "{want} in\n{text}");
    }
    assert_eq!(
        summary(&made(&parse(&pledge))),
        "de pledges to ua and pl: Military assistance in 2024 (at most 7,100,000,000 EUR)"
    );
}

#[test]
fn no_text_can_paint_over_the_screen_or_pass_for_a_row() {
    let row = "\n  quantity      exactly 5 EUR\n\nsigned and accepted";
    for hostile in [
        "\u{202e}RUE 000 5 yltcaxe",
        "\u{1b}[2J\u{1b}[1;1H\u{1b}[31m",
        "\r                                   ",
        "\u{200b}\u{2066}\u{feff}\u{e0001}",
        "\" (exactly 5 EUR), accepted",
        row,
        &format!("{}{row}", "x ".repeat(90)),
        &"wide 協定 ".repeat(14),
    ] {
        for value in acts() {
            let full = serde_json::to_value(parse(&value)).expect("json");
            let mut all = Vec::new();
            pointers(String::new(), &full, &mut all);
            for pointer in all {
                let mut changed = full.clone();
                *changed.pointer_mut(&pointer).expect("a pointer of its own") = object!(hostile);
                let Ok(act) = serde_json::from_value::<Act>(changed) else { continue };
                let s = made(&act);
                for line in words(&s).iter().chain([&summary(&s)]) {
                    let seen = line.replace(['\u{2068}', '\u{2069}'], "");
                    assert!(
                        !seen.contains(['\n', '\r', '\u{1b}', '\u{202e}', '\u{200b}', '\u{2066}']),
                        "{line:?}"
                    );
                    assert!(
                        !seen.starts_with("signed") && !seen.starts_with("  quantity      exactly 5"),
                        "{line}"
                    );
                }
                for line in words(&s) {
                    assert!(line.chars().count() <= plain::WIDTH, "{line}");
                }
            }
        }
    }
    let named = Statement { author: "xx".parse().expect("handle"), ..made(&parse(&acts()[5])) };
    assert!(words(&named)[0].starts_with("\"Germany (de)\\u{202e}\" (xx) "));
}

#[test]
fn programs_get_the_act_as_it_can_be_drafted() {
    let value = acts().into_iter().find(|v| v.get("pledge").is_some()).expect("a pledge");
    let s = made(&parse(&value));
    let entry = servanda::entry::Entry {
        version: 1,
        index: 12,
        link: Hash([2; 32]),
        roster: servanda::entry::Pointer::default(),
        sequenced_at: s.issued_at,
        statement: encode(&s).into(),
        signatures: servanda::codec::List::default(),
    };
    let e = SignedEntry::decode(&entry.encode().expect("fits")).expect("decodes");
    let json = json(&e);
    assert_eq!(json["index"], 12);
    assert_eq!(json["class"], "commit");
    assert_eq!(parse(&json["act"]), parse(&value));
    assert_eq!(json["id"], e.id.to_string());
}

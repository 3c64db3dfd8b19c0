//! `review-pack`, over a coalition's first months, and over a log whose every text is hostile.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

use crate::cli_verify::World;
use crate::support::coalition::{Coalition, assistance, attack, attest, confirm, delivered};
use crate::support::small_log::{SmallLog, accept, long, pledge, short};
use servanda::charter::Aspect;
use servanda::statement::Act;
use servanda::statement::body::{Answer, Occasion, Received};
use servanda::statement::terms::{Due, Instrument, Terms};
use servanda::text::from_base64;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const NOW: &str = "2027-04-05T12:00Z";

/// Elements without an end tag.
const VOID: [&str; 4] = ["meta", "br", "hr", "col"];

/// Writes a page, and gives it.
fn page(world: &World, out: &str, more: &str) -> String {
    let said =
        world.run(&format!("review-pack --log paris --trust trust.toml --now {NOW} --out {out}{more}"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let text = String::from_utf8(world.read(out)).unwrap();
    // For whoever wants to look at it in a browser.
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(out), &text).unwrap();
    text
}

/// A start tag: its name and its attributes.
type Tag = (String, Vec<(String, String)>);

/// Reads a page as strictly as it is written: every element closed in its turn, every attribute between double quotation
/// marks, no `<` or `>` in a text. Gives the start tags, and the text outside the style sheet.
fn read(page: &str) -> (Vec<Tag>, String) {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a document type");
    let (mut open, mut tags, mut text) = (Vec::<String>::new(), Vec::new(), String::new());
    while let Some(at) = rest.find('<') {
        if open.last().is_none_or(|tag| tag != "style") {
            assert!(!rest[..at].contains('>'), "{}", &rest[..at]);
            text.push_str(&rest[..at]);
        }
        let end = at + rest[at..].find('>').expect("a tag ends");
        let inside = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()), "{inside}");
        tags.push((name.to_owned(), attributes_of(attributes)));
        if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert_eq!((open, rest.trim()), (vec![], ""));
    (tags, text)
}

fn attributes_of(mut text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while !text.is_empty() {
        let (name, after) = text.split_once("=\"").expect("a value between quotation marks");
        let (value, after) = after.split_once('"').expect("a value ends");
        assert!(name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b.is_ascii_digit()), "{name}");
        assert!(!value.contains(['<', '>']), "{value}");
        all.push((name.to_owned(), value.to_owned()));
        text = after.strip_prefix(' ').unwrap_or(after);
    }
    all
}

/// What holds of every page, whatever is in the log.
fn check(page: &str) -> (Vec<Tag>, String) {
    let (tags, text) = read(page);
    let known = [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "section",
        "footer",
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "span",
        "b",
        "a",
        "br",
        "bdi",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "svg",
        "g",
        "rect",
        "line",
        "text",
    ];
    for (name, attributes) in &tags {
        assert!(known.contains(&name.as_str()), "<{name}>");
        for (attribute, value) in attributes {
            assert!(
                !attribute.starts_with("on") && attribute != "src" && attribute != "style",
                "{attribute}"
            );
            assert!(!value.contains("javascript:"), "{value}");
        }
    }
    for foreign in ["http://", "https://", "url(", "@import", "<script", "<link", "<img", "<iframe"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let of = |wanted: &str| -> Vec<&String> {
        let all = tags.iter().flat_map(|(_, attributes)| attributes);
        all.filter(|(name, _)| name == wanted).map(|(_, value)| value).collect()
    };
    let ids: BTreeSet<&str> = of("id").into_iter().map(String::as_str).collect();
    assert_eq!(ids.len(), of("id").len(), "an id stands twice");
    for href in of("href") {
        let resolves =
            href.strip_prefix('#').map_or(href.starts_with("data:text/plain;"), |id| ids.contains(id));
        assert!(resolves, "{href}");
    }
    let hidden = |c: char| {
        matches!(c, '\u{0}'..='\u{9}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert_eq!(page.find(hidden), None, "something unseen stands in it");
    (tags, text)
}

/// The files that a page carries, by name.
fn carried(tags: &[Tag]) -> Vec<(String, Vec<u8>)> {
    let attribute = |tag: &Tag, name: &str| tag.1.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let files = tags.iter().filter_map(|tag| {
        let href = attribute(tag, "href")?;
        let bytes = from_base64(href.strip_prefix("data:text/plain;charset=utf-8;base64,")?).unwrap();
        Some((attribute(tag, "download")?, bytes))
    });
    files.collect()
}

#[test]
fn a_review_pack_is_well_formed_and_its_proofs_hold() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let since = all.review.short();
    let text = page(&world, "review.html", &format!(" --since {since}"));
    let (tags, shown) = check(&text);
    for want in [
        "Since the review held on 2027-01-15",
        "part kept: 1",
        "no response on record",
        "claimed by the promisor",
        "undisclosed",
        "exactly 60,000,000 EUR",
        "Records: announced, not pledged",
        "Exercises: nothing is owed",
        "What the log cannot show",
        "entry 29, verified, checkpoint of size 30",
    ] {
        assert!(shown.contains(want), "{want}");
    }
    let files = carried(&tags);
    assert!(files.len() > 15 && files.iter().any(|(name, _)| name == "30.roster"), "{}", files.len());
    for (name, bytes) in &files {
        world.write(name, bytes);
    }
    for (name, _) in files.iter().filter(|(name, _)| name.ends_with(".tlog-proof")) {
        let said = world.run(&format!("check {name} --trust trust.toml"));
        assert_eq!(said.code, 0, "{name}: {}{}", said.out, said.err);
    }
}

#[test]
fn the_verdicts_come_first_and_every_verdict_has_a_letter() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let (tags, shown) = check(&page(&world, "first.html", " --since 2027-01-15 --at 2027-12-01"));
    let order: Vec<usize> =
        ["Verdicts", "What changed since", "Timeline", "Partners and obligations", "Totals"]
            .iter()
            .map(|title| shown.find(title).unwrap())
            .collect();
    assert!(order.is_sorted(), "{order:?}");
    assert!(
        shown.contains("Ooverdue: 1")
            && shown.contains("no response on record by de; it was due 2027-09-30T23:59:59Z")
    );
    // Every box in a drawing has a letter behind it.
    let boxes = tags.iter().filter(|(_, a)| a.contains(&("class".to_owned(), "box".to_owned()))).count();
    let letters = tags.iter().filter(|(_, a)| a.contains(&("class".to_owned(), "mark".to_owned()))).count();
    assert!(boxes > 4 && boxes == letters, "{boxes} {letters}");
}

#[test]
fn a_right_of_reply_has_what_one_partner_owes() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let (_, shown) = check(&page(&world, "reply.html", " --since 2027-01-15 --for de"));
    assert!(shown.contains("Right of reply: Partner de (de)") && shown.contains("Reply"), "{shown}");
    assert!(shown.contains("first instalment") && !shown.contains("Armoured vehicles"), "{shown}");
    let said =
        world.run("review-pack --log paris --trust trust.toml --since 2027-01-15 --for xx --out x.html");
    assert!(said.code == 2 && said.err.contains("xx is no partner's handle here"), "{}", said.err);
}

#[test]
fn what_since_may_be() {
    let all = Coalition::new();
    let world = World::with(&all.log);
    let run = |since: &str| {
        world.run(&format!(
            "review-pack --log paris --trust trust.toml --now {NOW} --since {since} --out no.html"
        ))
    };
    for (since, why) in [
        ("yesterday", "neither a time nor a review"),
        ("@6", "entry 6 is no review meeting"),
        ("2030-01-01", "is after 2027-04-05"),
    ] {
        let said = run(since);
        assert!(said.code == 2 && said.err.contains(why), "{since}: {}", said.err);
    }
    assert!(!world.path("no.html").exists());
    check(&page(&world, "at.html", " --since @15"));
    check(&page(&world, "early.html", " --since 2020-01-01"));
    let taken = world.run(&format!("review-pack --log paris --now {NOW} --since 2027-01-15 --out at.html"));
    assert!(taken.code == 2 && taken.err.contains("at.html is there already"), "{}", taken.err);
}

/// A log whose texts all try to break out of where they stand.
fn hostile(bad: &str) -> SmallLog {
    let cut: String = bad.chars().take(40).collect();
    let mut log = SmallLog::founded_with(|found| {
        found.charter.title = short(&cut);
        found.charter.partners.0[0].name = short(&cut);
        found.charter.rules.instruments = vec![short(&cut)].into();
    });
    for name in crate::support::small_log::PARTNERS {
        log.say(name, crate::support::small_log::accede(name));
    }
    let mut evil = Terms {
        reference: Some(short(&cut)),
        title: short(&cut),
        text: long(bad),
        instruments: vec![Instrument::Other(short(&cut))].into(),
        quantity: crate::support::coalition::quantity(&format!("exactly 5 x{}", cut.trim())),
        ..assistance()
    };
    evil.clause = None;
    evil.dues =
        vec![Due { label: short(&cut), by: "2027-03-31".parse().unwrap(), quantity: evil.quantity.clone() }]
            .into();
    let id = log.say("de", pledge(&["ua"], evil.clone()));
    log.say("ua", accept(&[id]));
    let mut report = attack("2026-12-01T09:00Z", false);
    report.place = short(&cut);
    report.figures.0[0].measure = short(&cut);
    report.figures.0[0].region = short(&cut);
    let report = log.say("ua", Act::Report(report));
    log.say("kiel", attest(report, &[Aspect::Occurred]));
    let Act::Respond(mut response) = delivered(id, Occasion::Due(0), None, None) else { unreachable!() };
    response.note = long(bad);
    response.answer = Answer::Delivered;
    let response = log.say("de", Act::Respond(response));
    log.say("ua", confirm(response, Received::InFull));
    evil.text = long(&format!("{bad}\n{bad}"));
    let amend = servanda::statement::body::Amend {
        statement: id,
        to: crate::support::small_log::handles(&["ua"]),
        terms: servanda::charter::Sealable::Open(evil),
    };
    log.say("de", Act::Amend(amend));
    assert_eq!(log.findings(), []);
    log
}

#[test]
fn hostile_texts_break_out_of_nothing() {
    for bad in [
        "</td></table><script>alert(1)</script>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='x' javascript:x",
        "\u{202e}\u{2066}EUR 000\u{2069}\u{200b}\u{0}\u{1b}[2K\r\n",
        "</title></style><!-- ]]> &lt;b&gt; &#x3c;",
        "שלום \u{2067}<b>עולם</b>",
    ] {
        let world = World::with(&hostile(bad));
        for (out, more) in [("evil.html", ""), ("evil-de.html", " --for de")] {
            let (_, shown) = check(&page(&world, out, &format!(" --since 2020-01-01{more}")));
            assert!(shown.contains("claimed by the promisor"), "{bad}");
        }
    }
}

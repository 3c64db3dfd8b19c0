//! Titles, labels, references and units that would repaint a screen or pass for a column, and amounts of all digits.

use super::*;

const HOSTILE: [&str; 6] = [
    "\u{202e}gnihton\u{202c} pledged",
    "\u{1b}[2J\u{1b}[H all kept",
    "kept  12,000 EUR  0123456789ab",
    "a\nentry 999, verified",
    "zero\u{200b}width \u{2066}isolate\u{2069}",
    "Fr\u{430}nce has k\u{435}pt all",
];

fn unsafe_char(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{430}' | '\u{435}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2067}')
}

fn hostile_log() -> SmallLog {
    let mut log = SmallLog::ready();
    for text in HOSTILE {
        let terms = json!({
            "reference": text, "quantity": {"bound": "about", "amount": "1", "unit": text},
            "dues": [{"label": text, "by": "2026-12-05"}],
            "needs": [{"label": text, "declared_by": "de"}],
        });
        let needs = log.say("de", pledge(text, &terms));
        let trigger = json!({"kinds": ["armed attack"], "starts": "either"});
        let called = json!({"reference": format!("{text}!"), "trigger": trigger, "dues": terms["dues"]});
        let called = log.say("fr", pledge(text, &called));
        log.say("pl", pledge(text, &json!({})));
        log.say("ua", accept(&[needs, called]));
        let report = json!({"report": {
            "kinds": ["armed attack"], "actor": {"name": text}, "against": ["ua"], "place": text,
            "from": "2026-11-30", "to": "2026-11-30", "figures": [{"measure": text, "region": text, "period": text, "value": "1"}],
        }});
        let mut observation = report.clone();
        observation["report"]["kinds"] = json!([]);
        log.say("ua", act(report));
        log.say("kiel", act(observation));
        let recorded = json!({
            "title": text, "instruments": ["military"], "force": "target", "valid_from": "2026-12-01",
        });
        log.say(
            "kiel",
            act(json!({"record": {
                "promisor": {"name": text}, "to": ["ua"], "terms": {"open": recorded}, "source": text,
            }})),
        );
    }
    assert_eq!(log.findings(), []);
    log
}

#[test]
fn no_text_of_others_repaints_the_screen_or_passes_for_a_column() {
    let desk = Desk::of(&hostile_log());
    for args in [
        &["status"][..],
        &["status", "--matrix"],
        &["status", "--diff", "2026-12-01T09:06Z", "2026-12-31"],
        &["brief", "de"],
        &["brief", "fr"],
        &["agenda", "--until", "2027-12-31"],
        &["incidents"],
        &["what-if", "armed attack", "--against", "ua"],
        &["roster"],
    ] {
        let out = desk.good(args);
        assert!(!out.contains(unsafe_char), "{args:?}: {out:?}");
        assert!(!out.lines().any(|line| line.starts_with("entry 999")), "{args:?}: {out}");
        // Two blanks stand between columns: a text that holds them is quoted.
        assert!(!out.contains("  kept  12,000"), "{args:?}: {out}");
        let last = out.lines().filter(|line| line.ends_with(", verified")).count();
        assert_eq!(last, 1, "{args:?}: {out}");
    }
}

#[test]
fn amounts_of_27_and_18_digits_add_up_to_the_last() {
    let mut log = SmallLog::ready();
    let most = format!("{}.{}", "9".repeat(27), "9".repeat(18));
    let mut ids = Vec::new();
    for author in ["de", "fr"] {
        let terms = json!({"quantity": format!("exactly {most} EUR"), "dues": [{"label": "all", "by": "2027-01-01"}]});
        ids.push(log.say(author, pledge("All there is", &terms)));
    }
    log.say("ua", accept(&ids));
    let paid =
        json!({"respond": {"obligation": due(ids[0], 0), "answer": "delivered", "quantity": euro(&most)}});
    let paid = log.say("de", act(paid));
    let but_one = format!("{}.{}8", "9".repeat(27), "9".repeat(17));
    log.say("ua", act(json!({"confirm": {"response": paid, "received": {"in_part": euro(&but_one)}}})));
    assert_eq!(log.findings(), []);
    let desk = Desk::of(&log);
    let total = &desk.json(&["status"])["status"]["totals"]["by"][0];
    // 2 (10^27 - 10^-18), and what is left of one and all of the other.
    let two = format!("1{}.{}8", "9".repeat(27), "9".repeat(17));
    assert_eq!(total["promised"], json!(two));
    assert_eq!(total["claimed"], json!(most));
    assert_eq!(total["confirmed"], json!(but_one));
    assert_eq!(total["outstanding"], json!(format!("1{}", "0".repeat(27))));
    let shown = desk.good(&["status"]).replace(',', "");
    assert!(shown.contains(&two) && shown.contains(&but_one), "{shown}");
}

/// Terms at the end of time, a unit and a list as long as a statement takes.
fn at_the_limits() -> SmallLog {
    let mut log = SmallLog::ready();
    let last = "9999-12-31T23:59:59.999Z";
    let terms = json!({
        "reference": "LAST", "quantity": "about 1 EUR", "valid_until": last, "notice_period": "6 months",
        "dues": [{"label": "last", "by": last, "quantity": "exactly 1 EUR"}],
        "needs": [{"label": "assent", "declared_by": "de", "due": last}],
        "trigger": {"kinds": ["armed attack"], "starts": "either"}, "respond_within": "9000 years",
    });
    let ends = log.say("de", pledge("Until the end of time", &terms));
    let label = "\u{1f480}".repeat(64);
    let dues: Vec<_> = (0..148).map(|_| json!({"label": label, "by": "2027-01-01"})).collect();
    let text = "\u{202e}".repeat(3000);
    let many = json!({"reference": "MANY", "text": text, "dues": dues});
    let many = log.say("fr", pledge("A long list", &many));
    log.say("ua", accept(&[ends, many]));
    let met = json!({"notice": {"statement": ends, "notice": {"need_met": 0}, "effective_at": null}});
    log.say("de", act(met));
    let report = json!({"report": {
        "kinds": ["armed attack"], "against": ["ua"], "from": "1970-01-01T00:00:00Z", "to": last,
    }});
    let report = log.say("ua", act(report));
    log.say("kiel", act(json!({"attest": {"on": {"statement": report}, "aspects": ["occurred"]}})));
    let held = json!({"review": {"held_on": "9999-12-31", "next_on": "9999-12-31"}});
    log.say("pl", act(held));
    assert_eq!(log.findings(), []);
    log
}

#[test]
fn dates_at_the_ends_of_time_and_lists_as_long_as_they_get_are_answered() {
    let desk = Desk::of(&at_the_limits());
    let (last, first) = ("9999-12-31T23:59:59.999Z", "2026-12-01T09:00:00Z");
    for at in [NOW, last, first] {
        for args in [
            &["status"][..],
            &["status", "--matrix"],
            &["brief", "de"],
            &["agenda", "--until", "9999-12-31"],
            &["incidents"],
            &["what-if", "armed attack", "--against", "ua"],
            &["roster"],
        ] {
            let out = desk.good(&[args, &["--at", at]].concat());
            assert!(!out.contains(unsafe_char), "{args:?}: {out:?}");
        }
    }
    for name in ["LAST", "MANY"] {
        for at in [NOW, last] {
            let out = desk.good(&["history", name, "--at", at]);
            assert!(!out.contains(unsafe_char), "{out:?}");
        }
    }
    for since in ["1970-01-01", "2026-12-10"] {
        for at in [NOW, last] {
            let name = format!("{since}-{}.html", &at[..4]);
            desk.good(&["review-pack", "--since", since, "--out", &name, "--at", at]);
            let page = fs::read_to_string(desk.path(&name)).unwrap();
            assert!(!page.contains(unsafe_char) && page.ends_with("</html>\n"), "{}", page.len());
        }
    }
    desk.good(&["status", "--diff", first, last]);
    for at in ["1970-01-01", "10000-01-01", "-1", "2026-13-01", "9999-12-31T24:00:01Z"] {
        let ended = desk.run(&["status", "--at", at]);
        assert!(ended.code == 2 && ended.out.is_empty(), "{at}: {}", ended.out);
    }
}

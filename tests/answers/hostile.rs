//! Titles, labels, references and units that would repaint a screen or pass for a column, and amounts of all digits.

use super::*;

const HOSTILE: [&str; 5] = [
    "\u{202e}gnihton\u{202c} pledged",
    "\u{1b}[2J\u{1b}[H all kept",
    "kept  12,000 EUR  0123456789ab",
    "a\nentry 999, verified",
    "zero\u{200b}width \u{2066}isolate\u{2069}",
];

fn unsafe_char(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2067}')
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

//! A provision as it is written down: where its words stand, what was pledged of it, and where each phrase went.

use serde::Deserialize;
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// A file of provisions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    pub provision: Vec<Provision>,
}

/// A provision of an agreement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// What it is about.
    pub name: String,
    /// The text it is from, without its ending.
    pub agreement: String,
    /// Where its passages stand: `first words … last words`.
    pub words: Vec<String>,
    /// The charter's tolerance, where it matters.
    pub tolerance: Option<String>,
    /// Fields that all pledges share.
    #[serde(default)]
    pub all: Table,
    /// The pledges, with `seal` where fields are sealed, and `more_annexes` beside the agreement.
    pub pledge: Vec<Table>,
    /// Amendments: `pledge`, `as`, and the fields that change.
    #[serde(default)]
    pub amendment: Vec<Table>,
    /// `phrase | field, field`.
    pub says: Vec<String>,
    /// What is done, and how things stand.
    pub then: String,
}

/// Between the first words of a passage and its last.
const TO: &str = " … ";

/// Phrases that bound a number, and the bound.
const BOUNDS: [(&str, &str); 9] = [
    ("at least", "at least"),
    ("a minimum of", "at least"),
    ("more than", "at least"),
    ("over ", "at least"),
    ("up to", "up to"),
    ("approximately", "about"),
    ("around", "about"),
    ("no less than", "at least"),
    ("estimated", "about"),
];

/// Phrases that say less than a promise does, and so no force but these.
const SOFT: [&str; 8] =
    ["intend", "target", "ambition", "aim", "possible", "plan", "preferably", "estimated"];

impl Provision {
    /// The passages, word for word but for white space, as they stand in the agreement.
    pub fn passages(&self, data: &Path) -> Vec<String> {
        let path = data.join(format!("{}.txt", self.agreement));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.words.iter().map(|words| self.passage(&text, words).to_owned()).collect()
    }

    fn passage<'t>(&self, text: &'t str, words: &str) -> &'t str {
        let (first, last) = words.split_once(TO).unwrap_or((words, ""));
        let Some(at) = text.find(first) else { panic!("{}: {first:?} is not in it", self.name) };
        assert_eq!(text.matches(first).count(), 1, "{}: {first:?} is there more than once", self.name);
        let rest = &text[at..];
        let after = first.len();
        let Some(end) = rest[after..].find(last) else { panic!("{}: {last:?} is not in it", self.name) };
        &rest[..after + end + last.len()]
    }

    /// Checks that every phrase stands in the passages, that the field in which it went is there and says as much, and
    /// that no telling word and no number of the passages was forgotten.
    pub fn check_says(&self, passages: &[String]) {
        let mut covered: Vec<Vec<bool>> = passages.iter().map(|p| vec![false; p.len()]).collect();
        for line in &self.says {
            let (phrase, fields) = line.split_once(" | ").unwrap_or_else(|| panic!("{}: {line}", self.name));
            let mut found = false;
            for (passage, covered) in passages.iter().zip(&mut covered) {
                for (at, _) in passage.match_indices(phrase) {
                    covered[at..at + phrase.len()].fill(true);
                    found = true;
                }
            }
            assert!(found, "{}: the agreement does not say {phrase:?}", self.name);
            fields.split(", ").for_each(|field| self.check_field(phrase, field));
        }
        for (passage, covered) in passages.iter().zip(&covered) {
            for (at, word) in words(passage) {
                let is_kept = word.is_empty() || covered[at];
                assert!(is_kept, "{}: {word:?} was lost at byte {at} of {passage:?}", self.name);
            }
        }
    }

    /// `text` and `annexes` hold every word; `no field` says that the absence of a field is what was said.
    fn check_field(&self, phrase: &str, field: &str) {
        // The passages are every pledge's text, and the agreement its annex.
        if matches!(field, "text" | "annexes") {
            return;
        }
        if let Some(absent) = field.strip_prefix("no ") {
            assert!(self.values(absent).is_empty(), "{}: a pledge has a field {absent}", self.name);
            return;
        }
        let values: Vec<String> = self.values(field).iter().map(ToString::to_string).collect();
        assert!(!values.is_empty(), "{}: no pledge has a field {field} for {phrase:?}", self.name);
        if field == "force" && SOFT.iter().any(|soft| phrase.to_lowercase().contains(soft)) {
            let soft = |value: &String| value.contains("best_efforts") || value.contains("target");
            assert!(values.iter().any(soft), "{}: {phrase:?} is less than a promise", self.name);
        }
        if field == "quantity" || field == "dues" {
            let says = |what: &str| values.iter().any(|value| value.contains(what));
            for (words, bound) in BOUNDS.iter().filter(|(words, _)| phrase.to_lowercase().contains(words)) {
                assert!(says(bound), "{}: {words:?} in {phrase:?} is {bound:?}", self.name);
            }
            for number in numbers(phrase) {
                assert!(says(&number), "{}: no {number} in {field} for {phrase:?}", self.name);
            }
        }
    }

    /// The values of a field in all pledges and amendments that have it; `trigger.kinds` is one within another.
    fn values(&self, field: &str) -> Vec<&Value> {
        let tables = [&self.all].into_iter().chain(&self.pledge).chain(&self.amendment);
        tables.filter_map(|table| inner(table, field)).collect()
    }
}

fn inner<'t>(table: &'t Table, field: &str) -> Option<&'t Value> {
    let mut parts = field.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// The words of a passage, with the byte at which each begins.
fn words(passage: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    passage.split(' ').map(move |word| {
        let begins = at + word.len() - word.trim_start_matches(['(', '“', '‘']).len();
        at += word.len() + 1;
        (begins, word.trim_matches(['(', ')', ',', '.', ';', ':', '“', '”', '‘', '’']))
    })
}

/// The amounts in a phrase, written out: `7.1 billion` is 7100000000. A comma before one or two digits is a decimal one.
fn numbers(phrase: &str) -> Vec<String> {
    let words: Vec<&str> = phrase.split([' ', '(', ')']).filter(|w| !w.is_empty()).collect();
    let scale = |word: &str| match word.trim_matches(|c: char| !c.is_alphabetic()) {
        "million" => 6,
        "billion" | "B" => 9,
        _ => 0,
    };
    let mut all = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
        // A year is a label, and a day is in the date.
        let is_year = digits.len() == 4 && digits.starts_with("20");
        if digits.is_empty() || is_year || digits.contains(['–', '-', '/']) {
            continue;
        }
        let zeros = scale(word).max(words.get(n + 1).map_or(0, |next| scale(next)));
        let plain = if digits.split(',').skip(1).all(|group| group.len() == 3) {
            digits.replace(',', "")
        } else {
            digits.replace(',', ".")
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        if zeros == 0 {
            all.push(plain);
        } else {
            all.push(format!("{whole}{fraction:0<zeros$}"));
        }
    }
    all
}

#[test]
fn amounts_are_read_as_people_write_them() {
    for (phrase, want) in [
        ("EUR 8.5 billion", "8500000000"),
        ("more than EUR 1,5 million", "1500000"),
        ("up to 4,000 Ukrainian soldiers", "4000"),
        ("a further €128 million", "128000000"),
        ("$3.02B in", "3020000000"),
        ("0.25% of GDP", "0.25"),
    ] {
        assert_eq!(numbers(phrase), [want], "{phrase}");
    }
    assert!(numbers("in 2024, ten").is_empty());
}

//! What partners do, line by line: the verbs of `then`, each an act that is signed, sequenced and folded.
//!
//! ```text
//! TIME  fr pledges FRA-M1 | kiel records EUU-X | eu adopts EUU-X as EUU-M2
//! TIME  ua accepts FRA-M1 LONGER              amendments by the name that they have in the file
//! TIME  al amends LONGER | gb joins LVA-D | is meets ISL-24 0 [from TIME] | is fails ISL-24 0
//! TIME  ua withdraws FRA-M1 | ua withdraws the agreement | ua suspends FRA-M1 | ua resumes FRA-M1
//! TIME  ua reports A: armed attack, aggression on ua [since TIME] [by somebody]
//! TIME  kiel attests A | pl disputes A
//! TIME  ua calls DEU-C24 UKR-C24 for A | ua calls ISL-D as C
//! TIME  de acknowledges DEU-C24/A | de declines DEU-C24/A | de disputes-delivery DEU-C24/A
//! TIME  fr delivers FRA-M1/0 [5 EUR] [on TIME] as R       an obligation is PLEDGE/number of the due, or PLEDGE/call
//! TIME  ua confirms R in full | ua confirms R in part 4 EUR | ua confirms R not received
//! TIME  fi reveals FIN-M1
//! TIME  refused no-obligation: lt delivers LTU-M1/0 as R  void, with this code, and nothing has changed
//! ```
//!
//! Everything else is a question: see [`stand`](super::stand).

use super::provision::Provision;
use super::stand;
use super::typed::{Typed, annex};
use crate::support::small_log::{
    SmallLog, accede, at, codes, decimal, founding, handle, key_set, long, short,
};
use serde_json::{Value, json};
use servanda::charter::Partner;
use servanda::charter::rules::IncidentKind;
use servanda::field::{Instant, Role};
use servanda::hash::Hash;
use servanda::seal::Opening;
use servanda::statement::body::{Obligation, Reveal};
use servanda::statement::terms::Amount;
use servanda::statement::{Act, Kind};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use toml::Table;

/// Ukraine, those with whom it agreed, and an observer.
const PARTNERS: [&str; 30] = [
    "ua", "gb", "de", "fr", "dk", "ca", "it", "nl", "fi", "lv", "es", "be", "pt", "se", "no", "is", "jp",
    "us", "eu", "lt", "ee", "pl", "lu", "ro", "cz", "si", "ie", "hr", "al", "kiel",
];

/// What the agreements speak of: the attacker, where they name one, is in the kind.
const KINDS: [&str; 8] = [
    "Russian armed attack",
    "armed attack",
    "threat of armed attack",
    "significant escalation",
    "renewed Russian aggression",
    "aggression",
    "cessation of hostilities",
    "accession of Ukraine to NATO",
];

/// The entry that founds the log of all provisions, before the first of the agreements.
pub fn founded(tolerance: Option<&str>) -> SmallLog {
    let mut found = founding();
    let partner = |name: &&str| Partner {
        handle: handle(name),
        name: short(&format!("Partner {name}")),
        roles: [match *name {
            "ua" => Role::Beneficiary,
            "kiel" => Role::Observer,
            _ => Role::Guarantor,
        }]
        .into_iter()
        .collect(),
        keys: key_set(name).digest(&handle(name)),
    };
    found.charter.partners = PARTNERS.iter().map(partner).collect();
    let rules = &mut found.charter.rules;
    let kind =
        |label: &&str| IncidentKind { label: short(label), definition: long("as agreed"), breaches: None };
    rules.incident_kinds = KINDS.iter().map(kind).collect();
    rules.instruments = vec![short("non-lethal military"), short("reconstruction")].into();
    if let Some(tolerance) = tolerance {
        rules.pledges.tolerance = decimal(tolerance);
    }
    let mut log = SmallLog::empty();
    log.now = at("2024-01-01T09:00Z");
    log.say("operator", Act::Found(found));
    log
}

fn acceded(tolerance: Option<&str>) -> SmallLog {
    let mut log = founded(tolerance);
    for name in PARTNERS {
        log.say(name, accede(name));
    }
    assert_eq!(log.findings(), []);
    log
}

static ACCEDED: LazyLock<SmallLog> = LazyLock::new(|| acceded(None));

/// A provision being played.
pub struct Play<'a> {
    provision: &'a Provision,
    annex: Table,
    text: String,
    typed: Typed,
    pub log: SmallLog,
    /// Statements by the names that the provision gives them.
    pub ids: BTreeMap<String, Hash>,
    openings: Vec<(String, Opening)>,
}

impl<'a> Play<'a> {
    pub fn of(provision: &'a Provision, data: &Path, passages: &[String]) -> Self {
        let tolerance = provision.tolerance.as_deref();
        Self {
            provision,
            annex: annex(data, &provision.agreement),
            text: passages.join("\n"),
            typed: Typed::new(),
            log: tolerance.map_or_else(|| ACCEDED.clone(), |_| acceded(tolerance)),
            ids: BTreeMap::new(),
            openings: Vec::new(),
        }
    }

    /// Does and asks everything, in order.
    pub fn run(mut self) {
        let mut last = Instant::default();
        for line in self.provision.then.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (time, rest) = line.split_once(' ').unwrap_or_else(|| self.fail(line, "a time and what"));
            let now: Instant = time.parse().unwrap_or_else(|_| self.fail(line, "a time"));
            let rest = rest.trim();
            if stand::is_question(rest) {
                stand::check(&self, now, rest);
                continue;
            }
            assert!(now >= last, "{}: out of order: {line}", self.provision.name);
            last = now;
            self.log.now = now;
            match rest.strip_prefix("refused ").map(|rest| rest.split_once(": ").expect("a code")) {
                Some((code, act)) => self.refused(code, act),
                None => self.done(rest),
            }
        }
    }

    pub fn fail(&self, line: &str, want: &str) -> ! {
        panic!("{}: want {want}: {line}", self.provision.name)
    }

    /// The id of what has this name.
    pub fn id(&self, name: &str) -> Hash {
        *self.ids.get(name).unwrap_or_else(|| self.fail(name, "a name that was given"))
    }

    fn done(&mut self, line: &str) {
        let (by, act, name) = self.act(line);
        let id = self.log.say(&by, act);
        let found = self.log.findings();
        assert!(found.is_empty(), "{}: {line}: {found:?}", self.provision.name);
        if let Some(name) = name {
            assert!(self.ids.insert(name.clone(), id).is_none(), "{name} is said twice");
        }
    }

    fn refused(&mut self, code: &str, line: &str) {
        let openings = self.openings.clone();
        let (by, act, _) = self.act(line);
        self.openings = openings;
        let before = self.log.history().ledger().unwrap().digest();
        let mut trial = self.log.clone();
        let draft = trial.draft(&by, act);
        assert_eq!(codes(&trial.post(&draft)), [code], "{}: {line}", self.provision.name);
        assert_eq!(trial.history().ledger().unwrap().digest(), before);
    }

    /// Who does what; and the name by which it is known from then on.
    fn act(&mut self, line: &str) -> (String, Act, Option<String>) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [by, verb, rest @ ..] = &words[..] else { self.fail(line, "who does what") };
        let (said, name) = match (*verb, rest) {
            ("pledges" | "records", [name]) => return self.typed(by, verb, name),
            ("amends", [name]) => return self.amendment(by, name),
            ("reveals", [name]) => return ((*by).to_owned(), self.reveal(name), None),
            ("reports", _) => {
                let (name, act) = self.report(line);
                (act, Some(name))
            }
            ("calls", _) => self.call(rest),
            ("delivers", [owed, how @ ..]) => self.delivery(owed, how),
            ("adopts", [record, "as", name]) => (json!({"adopt": {"record": self.id(record)}}), Some(*name)),
            ("accepts", names) => (json!({"accept": {"statements": self.all(names)}}), None),
            ("joins", [name]) => (json!({"join": {"statement": self.id(name)}}), None),
            ("meets" | "fails", [name, need, from @ ..]) => (self.need(verb, name, need, from), None),
            ("suspends", [name]) => {
                (json!({"notice": {"statement": self.id(name), "notice": "suspended"}}), None)
            }
            ("resumes", [name]) => {
                (json!({"notice": {"statement": self.id(name), "notice": "resumed"}}), None)
            }
            ("withdraws", ["the", "agreement"]) => {
                (json!({"withdraw": {"from": {"agreement": self.agreement()}}}), None)
            }
            ("withdraws", names) => (json!({"withdraw": {"from": {"pledges": self.all(names)}}}), None),
            ("attests", [name]) => (self.stance("attest", name), None),
            ("disputes", [name]) => (self.stance("dispute", name), None),
            ("disputes-delivery", [owed]) => {
                let on = json!({"obligation": self.obligation(owed)});
                (json!({"dispute": {"on": on, "aspects": ["delivered"]}}), None)
            }
            ("acknowledges" | "declines", [owed]) => {
                let answer = if *verb == "declines" { "declined" } else { "acknowledged" };
                (json!({"respond": {"obligation": self.obligation(owed), "answer": answer}}), None)
            }
            ("confirms", [response, how @ ..]) => (self.confirmation(response, how), None),
            _ => self.fail(line, "a verb"),
        };
        let act = serde_json::from_value(said).unwrap_or_else(|error| self.fail(line, &error.to_string()));
        ((*by).to_owned(), act, name.map(str::to_owned))
    }

    /// A pledge or record of the file, with the passages as its text and the agreement as its annex, as a user types it.
    fn typed(&mut self, by: &str, verb: &str, name: &str) -> (String, Act, Option<String>) {
        let is_it = |table: &&Table| table.get("reference").and_then(toml::Value::as_str) == Some(name);
        let own = self
            .provision
            .pledge
            .iter()
            .find(is_it)
            .unwrap_or_else(|| self.fail(name, "a pledge of the file"));
        let own = self.whole(own.clone());
        let verb = if verb == "records" { Kind::Record } else { Kind::Pledge };
        (by.to_owned(), self.type_in(verb, by, name, own), Some(name.to_owned()))
    }

    /// The pledge's fields again, and those that change.
    fn amendment(&mut self, by: &str, name: &str) -> (String, Act, Option<String>) {
        let is_it = |table: &&Table| table.get("as").and_then(toml::Value::as_str) == Some(name);
        let mut new = self.provision.amendment.iter().find(is_it).expect("an amendment of the file").clone();
        new.remove("as");
        let of = new.remove("pledge").and_then(|v| v.as_str().map(str::to_owned)).expect("the pledge's name");
        let is_it = |table: &&Table| table.get("reference").and_then(toml::Value::as_str) == Some(&of);
        let old = self.provision.pledge.iter().find(is_it).expect("a pledge of the file").clone();
        let mut fields = self.whole(old);
        fields.extend(new);
        fields.insert("statement".to_owned(), self.id(&of).to_string().into());
        (by.to_owned(), self.type_in(Kind::Amend, by, &of, fields), Some(name.to_owned()))
    }

    /// A pledge's fields with those that all share, its words and its annex.
    fn whole(&self, own: Table) -> Table {
        let mut fields = self.provision.all.clone();
        fields.extend(own);
        fields.insert("text".to_owned(), self.text.clone().into());
        let mut annexes = vec![toml::Value::Table(self.annex.clone())];
        if let Some(toml::Value::Array(more)) = fields.remove("more_annexes") {
            annexes.extend(more);
        }
        fields.insert("annexes".to_owned(), annexes.into());
        fields
    }

    fn type_in(&mut self, kind: Kind, by: &str, name: &str, mut fields: Table) -> Act {
        let seal: Vec<String> = match fields.remove("seal") {
            Some(toml::Value::Array(names)) => {
                names.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        if let Some(whole) = fields.get_mut("within") {
            *whole = self.id(whole.as_str().unwrap()).to_string().into();
        }
        let (act, openings) = self.typed.act(kind.name(), by, &fields, &seal, self.log.now);
        self.openings.extend(openings.into_iter().map(|opening| (name.to_owned(), opening)));
        self.check_typed(&act);
        act
    }

    /// The agreement's own words went in, and its text is bound by digest.
    fn check_typed(&self, act: &Act) {
        let terms = match act {
            Act::Pledge(body) => body.terms.open(),
            Act::Amend(body) => body.terms.open(),
            Act::Record(body) => body.terms.open(),
            _ => None,
        };
        let terms = terms.expect("open terms");
        assert_eq!(*terms.text, *self.text);
        assert_eq!(terms.annexes[0].open().expect("an open annex").sha256, self.agreement());
    }

    /// Opens what a pledge seals, field after field.
    fn reveal(&mut self, name: &str) -> Act {
        let place = self.openings.iter().position(|(of, _)| of == name).expect("something sealed");
        let (_, opening) = self.openings.remove(place);
        let Opening { field, salt, value, .. } = opening;
        Act::Reveal(Reveal { statement: self.id(name), field, salt, value })
    }

    fn all(&self, names: &[&str]) -> Vec<Hash> {
        names.iter().map(|name| self.id(name)).collect()
    }

    fn agreement(&self) -> Hash {
        servanda::hash::sha256(&std::fs::read(self.annex["file"].as_str().unwrap()).unwrap())
    }

    /// An obligation: of a due by its number, of a call by its name.
    pub fn obligation(&self, owed: &str) -> Obligation {
        let (pledge, occasion) = owed.split_once('/').unwrap_or_else(|| self.fail(owed, "PLEDGE/occasion"));
        let occasion = match occasion.parse::<u64>() {
            Ok(due) => json!({"due": due}),
            Err(_) => json!({"call": self.id(occasion)}),
        };
        serde_json::from_value(json!({"pledge": self.id(pledge), "occasion": occasion})).unwrap()
    }

    fn need(&self, verb: &str, name: &str, need: &str, from: &[&str]) -> Value {
        let kind = if verb == "meets" { "need_met" } else { "need_failed" };
        let notice = json!({kind: need.parse::<u64>().unwrap()});
        let from = from.get(1).map(|time| at(time));
        json!({"notice": {"statement": self.id(name), "notice": notice, "effective_at": from}})
    }

    fn stance(&self, act: &str, name: &str) -> Value {
        json!({act: {"on": {"statement": self.id(name)}, "aspects": ["occurred"]}})
    }

    fn report<'l>(&self, line: &'l str) -> (&'l str, Value) {
        let (_, rest) = line.split_once(" reports ").expect("the verb");
        let (name, rest) = rest.split_once(": ").unwrap_or_else(|| self.fail(line, "NAME: kinds on whom"));
        let (rest, actor) = rest.split_once(" by ").map_or((rest, None), |(rest, actor)| (rest, Some(actor)));
        let (rest, since) =
            rest.split_once(" since ").map_or((rest, None), |(rest, since)| (rest, Some(at(since))));
        let (kinds, against) =
            rest.split_once(" on ").unwrap_or_else(|| self.fail(line, "NAME: kinds on whom"));
        let from = since.unwrap_or(self.log.now);
        let list = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
        let report = json!({
            "kinds": list(kinds), "against": list(against), "from": from, "to": from,
            "actor": actor.map(|name| json!({ "name": name })),
        });
        (name, json!({ "report": report }))
    }

    fn call<'w>(&self, words: &[&'w str]) -> (Value, Option<&'w str>) {
        let (pledges, incident, name) = match words {
            [pledges @ .., "for", incident] => (pledges, Some(self.id(incident)), None),
            [pledges @ .., "as", name] => (pledges, None, Some(*name)),
            pledges => (pledges, None, None),
        };
        let now = self.log.now;
        (json!({"invoke": {"pledges": self.all(pledges), "incident": incident, "requested_at": now}}), name)
    }

    fn delivery<'w>(&self, owed: &str, how: &[&'w str]) -> (Value, Option<&'w str>) {
        let (how, name) = match how {
            [how @ .., "as", name] => (how, Some(*name)),
            how => (how, None),
        };
        let (how, done_at) = match how {
            [how @ .., "on", day] => (how, Some(at(day))),
            how => (how, None),
        };
        let quantity = (!how.is_empty()).then(|| how.join(" ").parse::<Amount>().unwrap());
        let obligation = self.obligation(owed);
        let body = json!({"obligation": obligation, "answer": "delivered", "quantity": quantity, "done_at": done_at});
        (json!({ "respond": body }), name)
    }

    fn confirmation(&self, response: &str, how: &[&str]) -> Value {
        let received = match how {
            ["in", "full"] => json!("in_full"),
            ["not", "received"] => json!("not_received"),
            ["in", "part", amount @ ..] => json!({"in_part": amount.join(" ").parse::<Amount>().unwrap()}),
            _ => self.fail(&how.join(" "), "in full, in part or not received"),
        };
        json!({"confirm": {"response": self.id(response), "received": received}})
    }
}

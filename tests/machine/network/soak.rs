//! Everything at once: partners who speak, witnesses, monitors, a mirror, and kills -9 of each at random moments.
//!
//! ```text
//! de, fr, ua --statements--> serve <--cosignatures-- w1, w2
//!                              |-- mirror --> copy <-- served again
//! m1: serve, the copy served   m2: serve, the copy as a folder   calm: the home, never killed, looks before and after
//! ```

use super::*;
use crate::support::coalition::{attack, attest, confirm, delivered};
use crate::support::small_log::{accept, handles, short};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde_json::Value;
use servanda::charter::Aspect;
use servanda::monitor::journal::Journal;
use servanda::monitor::{Monitor, Settings};
use servanda::statement::body::{Occasion, Received};
use servanda::statement::terms::{Instrument, Starts, Terms, Trigger};
use std::sync::Mutex;

/// How long it lasts, unless the environment says otherwise, in seconds.
const SECONDS: u64 = 60;

/// What partners know of each other's statements that are in the log.
#[derive(Default)]
struct Known {
    pledges: Vec<Hash>,
    called: Vec<Hash>,
    incidents: Vec<Hash>,
    responses: Vec<Hash>,
}

/// A partner: what it says, and what it was given.
struct Partner {
    name: &'static str,
    speaker: Speaker,
    dice: Dice,
    /// How long it thinks at most, in milliseconds: the longer all of it lasts, so that the log stays of a size.
    pause: u64,
    papers: Vec<Paper>,
    again: usize,
    refused: usize,
}

/// What a statement is to others.
#[derive(Clone, Copy)]
enum What {
    Pledge,
    Called,
    Incident,
    Response,
    Other,
}

impl Partner {
    fn new(log: &SmallLog, name: &'static str, seed: u64, seconds: u64) -> Self {
        let speaker = Speaker::new(log, name);
        Self {
            name,
            speaker,
            dice: Dice(seed),
            pause: 120.max(2 * seconds),
            papers: Vec::new(),
            again: 0,
            refused: 0,
        }
    }

    fn one_of(&mut self, ids: &[Hash]) -> Option<Hash> {
        let n = self.dice.below(u64::try_from(ids.len()).unwrap());
        ids.get(usize::try_from(n).unwrap()).copied()
    }

    /// What it says next.
    fn act(&mut self, known: &Known) -> (Act, What) {
        let title = format!("{} {}", self.name, self.papers.len());
        let say = self.dice.below(10);
        let picked = match say {
            0 | 1 if self.name == "ua" => {
                Some((Act::Report(attack("2026-12-02T02:00Z", false)), What::Incident))
            }
            2 if self.name == "ua" => {
                self.one_of(&known.responses).map(|id| (confirm(id, Received::InFull), What::Other))
            }
            _ if self.name == "ua" => self.one_of(&known.pledges).map(|id| (accept(&[id]), What::Other)),
            0 | 1 => self.one_of(&known.incidents).map(|id| (attest(id, &[Aspect::Occurred]), What::Other)),
            2 | 3 => {
                let (pledge, incident) = (self.one_of(&known.called), self.one_of(&known.incidents));
                let answer = |(pledge, incident)| delivered(pledge, Occasion::Call(incident), None, None);
                pledge.zip(incident).map(answer).map(|act| (act, What::Response))
            }
            4 | 5 => Some((pledge(&["ua"], consultations(&title)), What::Called)),
            _ => None,
        };
        match self.name {
            "ua" => picked.unwrap_or((Act::Report(attack("2026-12-02T02:00Z", true)), What::Other)),
            _ => picked.unwrap_or((pledge(&["ua"], terms(&title)), What::Pledge)),
        }
    }

    /// Speaks until it is over; what is not answered is said again, until it is.
    fn speak(&mut self, address: SocketAddr, known: &Mutex<Known>, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let (act, what) = self.act(&known.lock().unwrap());
            self.say(address, &act, what, known);
            thread::sleep(Duration::from_millis(self.dice.below(self.pause)));
        }
    }

    fn say(&mut self, address: SocketAddr, act: &Act, what: What, known: &Mutex<Known>) {
        let (letter, class) = self.speaker.sign(act);
        let path = if self.dice.below(3) == 0 { "/add" } else { "/add?wait=durable" };
        let mut answer = None;
        until("an answer to a statement", || {
            answer = send(address, path, &letter);
            self.again += usize::from(answer.is_none());
            answer.is_some()
        });
        let answer = answer.unwrap();
        if answer.status == 422 {
            self.refused += 1;
            return;
        }
        self.papers.push(Paper::of(&letter, &answer));
        self.speaker.said(&letter, class);
        let mut known = known.lock().unwrap();
        match what {
            What::Pledge => known.pledges.push(letter.id),
            What::Called => {
                known.pledges.push(letter.id);
                known.called.push(letter.id);
            }
            What::Incident => known.incidents.push(letter.id),
            What::Response => known.responses.push(letter.id),
            What::Other => {}
        }
    }
}

/// Consultations after an attack.
fn consultations(title: &str) -> Terms {
    let trigger = Trigger {
        kinds: vec![short("armed attack")].into(),
        against: Some(handles(&["ua"])),
        only_after: None,
        after: None,
        starts: Starts::Either,
        requesters: handles(&["ua"]),
    };
    Terms {
        instruments: vec![Instrument::Political].into(),
        trigger: Some(trigger),
        respond_within: Some("24h".parse().unwrap()),
        valid_until: Some(at("2036-12-01")),
        ..terms(title)
    }
}

/// All processes.
struct Town {
    serve: Part,
    address: SocketAddr,
    copy: Part,
    mirror: Part,
    /// Two witnesses, two monitors.
    rest: Vec<Part>,
    /// The last, so that it is there as long as they are.
    world: World,
}

impl Town {
    fn new(log: &SmallLog) -> Self {
        let world = equip(log);
        let [mut w1, mut w2] = witnesses(&world, ["w1", "w2"]);
        world.write("guard", "");
        let (mut serve, address) = serving(&world, "paris", " --guard guard --policy policy");
        w1.start();
        w2.start();
        serve.start();
        until("it is ready", || get(address, "/readyz").is_some_and(|a| a.status == 200));
        // What the readers' policy asks for: a checkpoint with both cosignatures.
        let first = Speaker::new(log, "pl");
        let (letter, _) = first.sign(&pledge(&["ua"], terms("the first")));
        until("a proof", || send(address, "/add", &letter).is_some_and(|answer| answer.status == 200));
        let port = free_port();
        let copying = format!("mirror http://{address} copy --trust trust.toml --now {NOW}");
        world.run(&copying).ends(0);
        let words =
            format!("serve copy --read-only --listen 127.0.0.1:{port} --rate 0 --trace warn --now {NOW}");
        let mut copy = Part::new(world.path("."), "copy", &words);
        copy.start();
        let mirror = Part::new(world.path("."), "mirror", &copying);
        let watch = |name, second: &str| {
            let words = format!(
                "monitor http://{address} {second} --trust trust.toml --state {name} --interval 1 --now {NOW} \
                 --exec cat>>{name}.noted"
            );
            world.run(&format!("{words} --once")).ends(0);
            Part::new(world.path("."), name, &words)
        };
        let monitors = [watch("m1", &format!("http://127.0.0.1:{port}")), watch("m2", "copy")];
        world.run(&format!("monitor paris --trust trust.toml --state calm --once --now {NOW}")).ends(0);
        Self { world, serve, address, copy, mirror, rest: [w1, w2].into_iter().chain(monitors).collect() }
    }

    /// Kills parts at random and starts them again, for so long; counts the kills.
    fn torment(&mut self, dice: &mut Dice, seconds: u64) -> BTreeMap<&'static str, usize> {
        let (mut kills, started) = (BTreeMap::new(), Instant::now());
        self.rest.iter_mut().skip(2).for_each(|monitor| monitor.spawn(Stdio::null()));
        self.mirror.spawn(Stdio::null());
        while started.elapsed() < Duration::from_secs(seconds) {
            thread::sleep(Duration::from_millis(dice.below(900)));
            // The mirror is run again and again, whatever became of it.
            if let Some(code) = self.mirror.ended() {
                assert!(code == 0 || code == 2, "the mirror ended with {code}: {}", self.mirror.told());
            }
            if self.mirror.child.is_none() {
                self.mirror.spawn(Stdio::null());
            }
            let pick = usize::try_from(dice.below(8)).unwrap();
            let part = match pick {
                0 | 1 => &mut self.serve,
                2 => &mut self.copy,
                3 => &mut self.mirror,
                n => &mut self.rest[n - 4],
            };
            let ran = part.kill();
            assert!(ran || part.name == "mirror", "{} had ended: {}", part.name, part.told());
            *kills.entry(part.name).or_insert(0) += 1;
            let pause = Duration::from_millis(dice.below(700));
            thread::sleep(pause);
            // Now and then once more, while it starts.
            if dice.below(4) == 0 {
                part.spawn(Stdio::null());
                thread::sleep(Duration::from_millis(dice.below(150)));
                part.kill();
            }
            match part.name {
                "m1" | "m2" | "mirror" => part.spawn(Stdio::null()),
                _ => part.start(),
            }
        }
        kills
    }

    /// The ledgers of everyone, once all has caught up.
    fn ledgers(&mut self) -> Vec<(String, u64)> {
        self.mirror.kill();
        let copying = format!("mirror http://{} copy --trust trust.toml --now {NOW}", self.address);
        self.world.run(&copying).ends(0);
        let copied =
            self.copy.words[self.copy.words.iter().position(|w| w == "--listen").unwrap() + 1].clone();
        let mut all = Vec::new();
        for place in ["paris", "copy", &format!("http://{}", self.address), &format!("http://{copied}")] {
            all.push(ledger(&self.world, place));
        }
        for monitor in self.rest.iter_mut().skip(2) {
            let words = format!("{} --once", monitor.words.join(" "));
            self.world.run(&words).ends(0);
            all.push(followed(&self.world, monitor.name));
        }
        let calm = format!("monitor paris --trust trust.toml --state calm --once --now {NOW}");
        self.world.run(&calm).ends(0);
        all.push(followed(&self.world, "calm"));
        all
    }
}

/// The ledger of a monitor, as it kept it.
fn followed(world: &World, state: &str) -> (String, u64) {
    let trust = String::from_utf8(world.read("trust.toml")).unwrap();
    let trust = Trust::parse(&trust).unwrap();
    let log = trust.log.unwrap();
    let journal = Journal::open(&world.path(state).join(log.to_string()), &log).unwrap();
    let kept = journal.kept().unwrap();
    let settings = Settings { policy: trust.policy, log, stale_after_ms: None, due_soon_ms: 0 };
    let snapshot = journal.snapshot(&kept);
    let monitor = Monitor::new(settings, kept, snapshot);
    let history = monitor.history();
    (history.ledger().expect("a ledger").digest().to_string(), history.head().size)
}

/// All alerts in a monitor's journal, none of which is there twice.
fn alerts(world: &World, log: &SmallLog, state: &str) -> BTreeMap<String, Value> {
    const ALERTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("alerts");
    let db = Database::open(world.path(state).join(log.log_id().to_string()).join("state.redb")).unwrap();
    let table = db.begin_read().unwrap().open_table(ALERTS).unwrap();
    let mut all = BTreeMap::new();
    for item in table.iter().unwrap() {
        let alert: Value = serde_json::from_slice(item.unwrap().1.value()).unwrap();
        let id = alert["id"].as_str().unwrap().to_owned();
        assert!(all.insert(id, alert.clone()).is_none(), "{state} has it twice: {alert}");
    }
    all
}

/// The identities of the alerts that entries brought.
fn of_entries(all: &BTreeMap<String, Value>) -> BTreeSet<&String> {
    all.iter().filter(|(_, alert)| alert["news"]["index"].is_number()).map(|(id, _)| id).collect()
}

#[test]
fn after_all_kinds_of_kills_for_a_while_everyone_has_the_same_ledger_and_nothing_was_lost() {
    let seconds = std::env::var("SERVANDA_SOAK_SECONDS").map_or(SECONDS, |s| s.parse().unwrap());
    let (log, mut dice) = (SmallLog::ready(), Dice::new());
    let mut town = Town::new(&log);
    let mut partners = ["de", "fr", "ua"].map(|name| Partner::new(&log, name, dice.below(u64::MAX), seconds));
    let (known, is_over, address) = (Mutex::new(Known::default()), AtomicBool::new(false), town.address);
    let kills = thread::scope(|scope| {
        for partner in &mut partners {
            let (known, is_over) = (&known, &is_over);
            scope.spawn(move || partner.speak(address, known, is_over));
        }
        let _over = Over(&is_over);
        town.torment(&mut dice, seconds)
    });
    until("it is ready", || get(address, "/readyz").is_some_and(|answer| answer.status == 200));
    // They have something to verify when they look for the last time.
    town.rest.iter_mut().skip(2).for_each(|monitor| assert!(monitor.kill()));
    let [de, ..] = &mut partners;
    let (letter, class) = de.speaker.sign(&pledge(&["ua"], terms("the last")));
    let mut proof = None;
    until("a proof for the last", || {
        proof = send(address, "/add", &letter).filter(|answer| answer.status == 200);
        proof.is_some()
    });
    de.papers.push(Paper::of(&letter, &proof.unwrap()));
    de.speaker.said(&letter, class);

    let ledgers = town.ledgers();
    assert!(ledgers.iter().all(|ledger| *ledger == ledgers[0]), "{ledgers:#?}");
    let (again, refused): (usize, usize) =
        partners.iter().fold((0, 0), |(a, r), partner| (a + partner.again, r + partner.refused));
    let papers: Vec<Paper> = partners.into_iter().flat_map(|partner| partner.papers).collect();
    let promises = papers.iter().filter(|paper| matches!(paper.given, Given::Promise(..))).count();
    town.serve.kill();
    let leaves = honoured(&town.world, "paris", &papers);
    assert_eq!(
        leaves.len(),
        usize::try_from(log.size()).unwrap() + 1 + papers.len(),
        "nothing else is there"
    );

    let calm = alerts(&town.world, &log, "calm");
    for name in ["m1", "m2"] {
        let all = alerts(&town.world, &log, name);
        for alert in all.values() {
            assert!(
                ["availability", "information"].contains(&alert["class"].as_str().unwrap()),
                "{name}: {alert}"
            );
        }
        assert_eq!(of_entries(&all), of_entries(&calm), "{name}");
        let noted = fs::read_to_string(town.world.path(&format!("{name}.noted"))).unwrap();
        let missing: Vec<_> = all.keys().filter(|id| !noted.contains(id.as_str())).collect();
        assert_eq!(missing, [""; 0], "{name} did not deliver");
    }
    let news = of_entries(&calm).len();
    assert!(news > 20, "{news}");
    eprintln!(
        "{seconds} s: {} entries, {promises} promises, {news} pieces of news, {again} times no answer, {refused} refused; \
         kills: {kills:?}",
        leaves.len()
    );
}

//! One clock that is ten minutes off: whose it is, who tells of it, and that nothing becomes wrong.

use super::*;

const EARLY: &str = "2026-12-02T11:50Z";
/// Behind the last entry, and as close to the witnesses' clocks as it must be.
const BEHIND: &str = "2026-12-02T11:57Z";
const LATE: &str = "2026-12-02T12:10Z";

/// A log with two witnesses, its server and someone who speaks.
struct Place {
    server: Part,
    address: SocketAddr,
    witnesses: [Part; 2],
    speaker: Speaker,
    papers: Vec<Paper>,
    world: World,
}

impl Place {
    fn new() -> Self {
        Self::waiting(2)
    }

    /// With a server that waits so long for its witnesses, in seconds.
    fn waiting(timeout: u32) -> Self {
        let log = SmallLog::ready();
        let world = equip(&log);
        let witnesses = witnesses(&world, ["w1", "w2"]);
        let options = format!(" --policy policy --witness-timeout {timeout}");
        let (server, address) = serving(&world, "paris", &options);
        Self { server, address, witnesses, speaker: Speaker::new(&log, "de"), papers: Vec::new(), world }
    }

    fn start(&mut self) {
        self.witnesses.iter_mut().for_each(Part::start);
        self.server.start();
    }

    /// Says something, once; the status and what was answered.
    fn say(&mut self, path: &str) -> (u16, String) {
        let (letter, class) = self.speaker.sign(&pledge(&["ua"], terms(&format!("{}", self.papers.len()))));
        let answer = ask(self.address, &post(path, &letter.text)).expect("an answer");
        if matches!(answer.status, 200 | 202) {
            self.papers.push(Paper::of(&letter, &answer));
            self.speaker.said(&letter, class);
        }
        (answer.status, answer.text().to_owned())
    }

    /// Says something until it is refused with these words.
    #[track_caller]
    fn until_refused(&mut self, why: &str) {
        until(why, || {
            let (status, text) = self.say("/add?wait=durable");
            assert!(status == 202 || status == 503, "{status}: {text}");
            text.contains(why)
        });
    }

    /// Says something until it is published.
    #[track_caller]
    fn until_published(&mut self) {
        until("a proof", || self.say("/add").0 == 200);
    }

    fn restart(&mut self, now: &str) {
        self.server.kill();
        self.server.goes_by(now);
        self.server.start();
    }

    /// The size of the published checkpoint.
    fn published(&self) -> u64 {
        super::published(&self.world)
    }

    /// What a monitor tells, by its clock, and how it ends.
    fn watched(&self, now: &str) -> crate::cli_verify::Said {
        let state = now.replace(':', "");
        self.world.run(&format!("monitor paris --trust trust.toml --state {state} --once --now {now}"))
    }

    fn end(&mut self) {
        self.server.kill();
        honoured(&self.world, "paris", &self.papers);
    }
}

/// One of the two is enough, without which there is no quorum.
const OFF: &str = "the clock here differs by more than 5 minutes from that of w";

/// The server takes nothing since its clock is off, and says so.
#[track_caller]
fn stands_still(place: &Place, published: u64) {
    let ready = get(place.address, "/readyz").unwrap();
    assert!(ready.status == 503 && ready.text().contains("the clock here differs"), "{}", ready.text());
    assert_eq!(place.published(), published, "nothing is published by that clock");
}

#[test]
fn a_server_whose_clock_is_off_dates_nothing_by_it_while_its_witnesses_answer() {
    for now in [EARLY, LATE] {
        let mut place = Place::waiting(60);
        place.server.goes_by(now);
        let before = place.published();
        place.start();
        // The very first statement waits for their times.
        let (status, text) = place.say("/add?wait=durable");
        assert!(status == 503 && text.contains(OFF), "{status}: {text}");
        stands_still(&place, before);
        assert!(place.papers.is_empty());
        place.restart(NOW);
        place.until_published();
        place.end();
    }
}

#[test]
fn silent_witnesses_silence_nobody_and_stop_a_server_whose_clock_is_off_once_they_answer() {
    let mut place = Place::waiting(1);
    place.server.goes_by(LATE);
    let before = place.published();
    place.server.start();
    let (status, text) = place.say("/add?wait=durable");
    assert_eq!(status, 202, "{text}");
    place.witnesses.iter_mut().for_each(Part::start);
    place.until_refused(OFF);
    stands_still(&place, before);
    // What was promised is published, and dated ahead: the log waits until its own clock has come there.
    place.restart(NOW);
    until("it is published", || place.published() != before);
    place.until_refused("but the last entry was sequenced");
    place.watched(NOW).ends(1).says("policy: the last entry is dated").says("but it is 2026-12-02T12:00");
    place.witnesses.iter_mut().for_each(|witness| {
        witness.kill();
        witness.goes_by(LATE);
        witness.start();
    });
    place.restart(LATE);
    place.until_published();
    place.end();
}

#[test]
fn a_server_whose_clock_went_back_behind_the_last_entry_appends_nothing() {
    let mut place = Place::new();
    place.start();
    place.until_published();
    place.restart(BEHIND);
    place.until_refused(
        "the clock says 2026-12-02T11:57:00Z, but the last entry was sequenced 2026-12-02T12:00:00Z",
    );
    place.restart(NOW);
    place.until_published();
    place.end();
}

#[test]
fn a_witness_whose_clock_is_off_does_not_count_and_is_named_and_a_quorum_does_without_it() {
    for now in [EARLY, LATE] {
        // Without it there is no quorum.
        let mut place = Place::new();
        place.witnesses[0].goes_by(now);
        let before = place.published();
        place.start();
        place.until_refused("the clock here differs by more than 5 minutes from that of w1");
        assert_eq!(place.published(), before);
        let told = place.server.told();
        assert!(told.contains("the clock of witness w1 differs from the one here by 600 seconds"), "{told}");
        place.witnesses[0].kill();
        place.witnesses[0].goes_by(NOW);
        place.witnesses[0].start();
        place.until_published();
        place.end();
        // With one of the two there is.
        let mut place = Place::new();
        let policy = String::from_utf8(place.world.read("policy")).unwrap();
        pin(&place.world, &policy.replace("group all all", "group all any"));
        place.witnesses[0].goes_by(now);
        place.start();
        place.until_published();
        place.until_published();
        place.watched(NOW).ends(0);
        place.end();
    }
}

#[test]
fn a_monitor_or_a_partner_whose_clock_is_off_is_told_and_misleads_nobody() {
    let mut place = Place::new();
    place.start();
    for now in [EARLY, LATE, NOW] {
        // Its own time is its author's word, and stands beside that of the log.
        place.speaker.now = now;
        place.until_published();
        let mut words =
            place.world.run(&format!("status --log paris --trust trust.toml --now {now}")).ends(0);
        words.err.clear();
        assert!(!words.out.is_empty());
        place.world.run(&format!("verify paris --trust trust.toml --now {now}")).ends(0);
    }
    place.watched(NOW).ends(0).never_says("clock").never_says("policy");
    place.watched(LATE).ends(0).never_says("policy");
    place
        .watched(EARLY)
        .ends(1)
        .says("policy: the last entry is dated 2026-12-02T12:00:00Z, but it is 2026-12-02T11:50:00Z here")
        .never_says("misbehaviour");
    place.end();
}

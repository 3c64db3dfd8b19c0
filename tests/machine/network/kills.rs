//! A server under load is killed at random moments, also while it starts: whatever it gave to anyone is honoured.

use super::*;
use crate::net::writing::crowd;

/// How many kills, unless the environment says another number.
const KILLS: usize = 15;

/// How many clients.
const CLIENTS: usize = 6;

/// A client, and the statement whose answer it has not got.
struct Client {
    speaker: Speaker,
    open: Option<(Letter, Class)>,
    path: &'static str,
    papers: Vec<Paper>,
    /// How often there was no answer, so that the same was sent again.
    lost: usize,
}

impl Client {
    /// Says one thing after the other until the server is gone.
    fn go_on(&mut self, address: SocketAddr, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let (letter, class) = match &self.open {
                Some(open) => open.clone(),
                None => {
                    let seq = self.speaker.chains[&Class::Commit.number()].0;
                    self.speaker.sign(&pledge(&["ua"], terms(&format!("pledge {seq}"))))
                }
            };
            self.open = Some((letter.clone(), class));
            let Some(answer) = send(address, self.path, &letter) else {
                self.lost += 1;
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            self.papers.push(Paper::of(&letter, &answer));
            self.speaker.said(&letter, class);
            self.open = None;
        }
    }
}

#[test]
fn whenever_a_server_is_killed_all_that_it_gave_is_honoured_and_what_was_lost_goes_in_once() {
    let kills = std::env::var("SERVANDA_SERVE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (log, mut dice) = (crowd(CLIENTS), Dice::new());
    let world = equip(&log);
    let mut trust = crate::cli_verify::trust(&log);
    let names: Vec<String> = (0..CLIENTS).map(|n| format!("p{n:02}")).collect();
    for name in names.iter().map(String::as_str).chain(["operator"]) {
        trust.partners.insert(handle(name), key_set(name));
    }
    world.write("trust.toml", trust.to_string());
    let (mut server, address) = serving(&world, "paris", " --guard guard");
    world.write("guard", "");
    let client = |(n, name): (usize, &String)| Client {
        speaker: Speaker::new(&log, name),
        open: None,
        // Where nobody waits for a proof, tiles and checkpoint are put off.
        path: if n == 0 { "/add" } else { "/add?wait=durable" },
        papers: Vec::new(),
        lost: 0,
    };
    let mut clients: Vec<Client> = names.iter().enumerate().map(client).collect();
    let (mut digests, is_over) = (Vec::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        for client in &mut clients {
            let is_over = &is_over;
            scope.spawn(move || client.go_on(address, is_over));
        }
        let _over = Over(&is_over);
        for kill in 0..kills {
            server.start();
            thread::sleep(Duration::from_millis(20 + dice.below(450)));
            assert!(server.kill(), "kill {kill}: it had ended: {}", server.told());
            // As it lies there, nobody at work: the ledger of what is published.
            if kill % 5 == 4 {
                digests.push(ledger(&world, "paris"));
            }
            // Some die again before they are ready.
            if kill % 3 == 2 {
                server.spawn(Stdio::null());
                thread::sleep(Duration::from_millis(dice.below(120)));
                server.kill();
            }
        }
        server.start();
    });
    for client in &mut clients {
        if let Some((letter, class)) = client.open.take() {
            let answer = send_until(address, "/add", &letter);
            client.papers.push(Paper::of(&letter, &answer));
            client.speaker.said(&letter, class);
        }
    }
    let mut papers: Vec<Paper> = clients.iter_mut().flat_map(|client| client.papers.drain(..)).collect();
    // Whoever asks again, for anything, is told the same.
    for paper in papers.iter().step_by(papers.len() / 40 + 1) {
        let again = Paper::of(&paper.letter, &send_until(address, "/add", &paper.letter));
        assert_eq!((again.given.index(), again.given.entry()), (paper.given.index(), paper.given.entry()));
    }
    let served = ledger(&world, &format!("http://{address}"));
    server.kill();
    let leaves = honoured(&world, "paris", &papers);
    assert_eq!(leaves.len(), usize::try_from(log.size()).unwrap() + papers.len(), "nothing else is there");
    digests.extend([served, ledger(&world, "paris")]);
    ledgers_go_on(&leaves, &digests);
    papers.retain(|paper| matches!(paper.given, Given::Promise(..)));
    let lost: usize = clients.iter().map(|client| client.lost).sum();
    eprintln!(
        "{kills} kills and more at the start, {} entries, {} promises, {lost} times there was no answer",
        leaves.len(),
        papers.len()
    );
    world.write("last.promise", &papers.last().expect("a promise").body);
    world.run("verify paris --trust trust.toml --promise last.promise").ends(0);
    assert!(papers.len() >= kills && lost >= kills, "there was no load");
}

/// The ledgers that were seen are those of one history, as it is folded here.
fn ledgers_go_on(leaves: &[Vec<u8>], digests: &[(String, u64)]) {
    let mut folded = SmallLog::empty();
    let mut open = digests.iter().peekable();
    for (size, leaf) in (1..).zip(leaves) {
        folded.push(leaf.clone());
        while let Some((digest, _)) = open.next_if(|(_, seen)| *seen == size) {
            let here = folded.history().ledger().expect("a ledger").digest();
            assert_eq!(*digest, here.to_string(), "the ledger of {size} entries");
        }
    }
    assert_eq!(open.next(), None, "each was compared");
}

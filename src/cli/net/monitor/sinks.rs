//! Where alerts go: the terminal, or lines of JSON; webhooks; commands. Each takes from the state what waits for it.
//!
//! What is not delivered is tried again after 1, 2, 4 … 600 seconds, and does not keep later alerts from being tried. It
//! waits in the state until it was delivered, over restarts. Nothing waits for a sink but the sink.

use super::Options;
use super::webhook::{self, Webhook};
use crate::cli::problem::Problem;
use crate::cli::{Context, plain, screen::Screen};
use anyhow::Result;
use servanda::hash::sha256;
use servanda::monitor::Class;
use servanda::monitor::journal::{Journal, Recorded, Sink};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The most alerts of one sink that are looked at in one go; more stay in the state.
const WAITING_MAX: usize = 10_000;

/// The longest wait before an alert is tried again.
const BACKOFF_MAX: Duration = Duration::from_secs(600);

/// After how many failures in a row the others wait as well.
const FAILURES_IN_A_ROW: u32 = 3;

/// How long a command may take.
const COMMAND_TIME: Duration = Duration::from_secs(30);

/// How often it is asked whether a command has ended.
const COMMAND_ASKED: Duration = Duration::from_millis(20);

/// Sinks that know their names.
pub trait Named {
    /// Names and classes, for the state.
    fn all(&self) -> &[Sink];
}

/// What delivers.
enum Means {
    Screen(Screen, PathBuf),
    Webhook(Box<Webhook>),
    Command(String),
}

/// All sinks of a monitor.
pub struct Sinks {
    names: Vec<Sink>,
    means: Vec<Means>,
    screen: Screen,
}

impl Named for Sinks {
    fn all(&self) -> &[Sink] {
        &self.names
    }
}

impl Sinks {
    /// The sinks that the options name, and the screen.
    ///
    /// # Errors
    /// When one of them cannot be.
    pub fn new(context: &Context, options: &Options, state: &Path) -> Result<Self> {
        let screen = context.screen;
        let mut sinks = Self { names: Vec::new(), means: Vec::new(), screen };
        sinks.add("screen".to_owned(), Class::ALL.to_vec(), Means::Screen(screen, state.to_owned()));
        if !options.webhook.is_empty() {
            let path = options.webhook_secret.as_deref().ok_or_else(|| {
                Problem::new("webhooks need a secret, by which whoever gets them knows who sent them")
                    .hint("name its file: --webhook-secret FILE")
            })?;
            let secret = webhook::secret(path)?;
            for text in &options.webhook {
                let (classes, url) = routed(text);
                let means = Means::Webhook(Box::new(Webhook::new(url, secret.clone())?));
                sinks.add(format!("webhook {}", sha256(url.as_bytes())), classes, means);
            }
        }
        for text in &options.exec {
            let (classes, command) = routed(text);
            let name = format!("command {}", sha256(command.as_bytes()));
            sinks.add(name, classes, Means::Command(command.to_owned()));
        }
        Ok(sinks)
    }

    fn add(&mut self, name: String, classes: Vec<Class>, means: Means) {
        self.names.push(Sink { name, classes });
        self.means.push(means);
    }

    /// Tries once what waits; tells whether all was delivered.
    pub fn deliver_once(&mut self, journal: &Journal) -> bool {
        let mut all = true;
        for (sink, means) in self.names.iter().zip(&self.means) {
            let mut line = Line::new(sink.name.clone(), self.screen);
            line.pass(journal, means);
            all &= line.later.is_empty();
        }
        all
    }

    /// Delivers from now on, a thread each.
    pub fn start(self, journal: &Arc<Journal>) -> Bells {
        let screen = self.screen;
        let start = |(sink, means): (&Sink, Means)| {
            let (ring, bell) = sync_channel(1);
            let (name, journal) = (sink.name.clone(), Arc::clone(journal));
            thread::spawn(move || Line::new(name, screen).run(&journal, &means, &bell));
            ring
        };
        let rings = self.names.iter().zip(self.means).map(start).collect();
        Bells { names: self.names, rings }
    }
}

/// What tells the sinks that something waits for them.
pub struct Bells {
    names: Vec<Sink>,
    rings: Vec<SyncSender<()>>,
}

impl Named for Bells {
    fn all(&self) -> &[Sink] {
        &self.names
    }
}

impl Bells {
    /// Tells all of them.
    pub fn ring(&self) {
        for ring in &self.rings {
            // One that was told already will look.
            let _ = ring.try_send(());
        }
    }
}

/// Classes before an equals sign, where that is what stands there; all of them where nothing does.
fn routed(text: &str) -> (Vec<Class>, &str) {
    let classes = |names: &str| names.split(',').map(str::parse::<Class>).collect::<Result<Vec<_>, _>>().ok();
    let split = text.split_once('=').and_then(|(names, rest)| Some((classes(names)?, rest)));
    split.unwrap_or_else(|| (Class::ALL.to_vec(), text))
}

/// What waits for one sink.
struct Line {
    name: String,
    screen: Screen,
    /// Alerts that failed: how often, and when they are tried again.
    later: BTreeMap<u64, (u32, Instant)>,
}

impl Line {
    fn new(name: String, screen: Screen) -> Self {
        Self { name, screen, later: BTreeMap::new() }
    }

    fn run(mut self, journal: &Journal, means: &Means, bell: &Receiver<()>) {
        loop {
            let wait = self.pass(journal, means);
            if bell.recv_timeout(wait) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }

    /// Tries what is due; gives how long it may be waited then.
    fn pass(&mut self, journal: &Journal, means: &Means) -> Duration {
        let (now, mut failures) = (Instant::now(), 0);
        let waiting = match journal.waiting(&self.name, 0, WAITING_MAX) {
            Ok(waiting) => waiting,
            Err(error) => {
                self.screen.note(format!("could not read what is to be delivered: {error}"));
                return BACKOFF_MAX;
            }
        };
        for alert in waiting {
            if self.later.get(&alert.number).is_some_and(|(_, due)| *due > now) {
                continue;
            }
            match deliver(means, &alert) {
                Ok(()) => {
                    failures = 0;
                    self.later.remove(&alert.number);
                    if let Err(error) = journal.delivered(&self.name, &[alert.number]) {
                        self.screen.note(format!("could not note what was delivered: {error}"));
                    }
                }
                Err(why) => {
                    failures += 1;
                    let (times, due) = self.later.entry(alert.number).or_insert((0, now));
                    *due = Instant::now() + backoff(*times);
                    *times += 1;
                    if *times == 1 {
                        let kind = plain::plain(alert.text("kind"));
                        let why = plain::plain(&why);
                        self.screen
                            .note(format!("alert {kind} was not delivered, and is tried again: {why}"));
                    }
                    if failures == FAILURES_IN_A_ROW {
                        break;
                    }
                }
            }
        }
        let next = self.later.values().map(|(_, due)| due.saturating_duration_since(Instant::now())).min();
        // Never at once, lest a sink that fails is asked without a pause.
        next.unwrap_or(BACKOFF_MAX).max(Duration::from_millis(if failures > 0 { 1000 } else { 0 }))
    }
}

fn backoff(times: u32) -> Duration {
    Duration::from_secs(1_u64.checked_shl(times.min(20)).unwrap_or(u64::MAX)).min(BACKOFF_MAX)
}

fn deliver(means: &Means, alert: &Recorded) -> Result<(), String> {
    match means {
        Means::Screen(screen, state) => {
            show(*screen, state, alert);
            Ok(())
        }
        Means::Webhook(webhook) => webhook.post(alert.text("id"), &alert.json.to_string()),
        Means::Command(command) => run(command, &alert.json.to_string()),
    }
}

/// A sentence, or a line of JSON.
fn show(screen: Screen, state: &Path, alert: &Recorded) {
    if screen.is_json() {
        crate::cli::screen::put(format_args!("{}\n", alert.json));
        return;
    }
    let (at, class) = (plain::plain(alert.text("at")), plain::plain(alert.text("class")));
    screen.say(format!("{at}  {class}: {}", plain::plain(alert.text("text"))));
    let evidence = alert.text("evidence");
    if !evidence.is_empty() {
        screen.say(format!("    evidence: {}", state.join(evidence).display()));
    }
}

/// Runs a command with an alert on its standard input; it must end well, and in time.
fn run(command: &str, alert: &str) -> Result<(), String> {
    let mut started = Command::new("sh");
    started.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = started.spawn().map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().expect("it was piped");
    let text = format!("{alert}\n");
    // On a thread of its own: a command need not read.
    let writer = thread::spawn(move || stdin.write_all(text.as_bytes()));
    let start = Instant::now();
    let ended = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => break Ok(()),
            Some(status) => break Err(format!("the command ended with {status}")),
            None if start.elapsed() > COMMAND_TIME => {
                let _ = child.kill();
                let _ = child.wait();
                break Err("the command took too long, and was ended".to_owned());
            }
            None => thread::sleep(COMMAND_ASKED),
        }
    };
    drop(writer);
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_before_an_equals_sign_route() {
        let all = Class::ALL.to_vec();
        assert_eq!(routed("https://a"), (all.clone(), "https://a"));
        assert_eq!(routed("policy,misbehaviour=x"), (vec![Class::Policy, Class::Misbehaviour], "x"));
        assert_eq!(routed("A=1 run"), (all.clone(), "A=1 run"));
        assert_eq!(routed("https://a/?b=c"), (all, "https://a/?b=c"));
    }

    #[test]
    fn waits_grow_up_to_ten_minutes() {
        let seconds: Vec<u64> = [0, 1, 2, 9, 10, 40].map(|n| backoff(n).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 512, 600, 600]);
    }
}

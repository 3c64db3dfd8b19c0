//! Whose signatures a verifier accepts: logs, witnesses, and how many of these it takes.
//!
//! A text of one line per thing (c2sp.org/tlog-policy): the keys of logs, any one of which may sign; witnesses under
//! names of the policy's own; groups of witnesses and earlier groups with a threshold; and the quorum that must have
//! cosigned, or `none`:
//!
//! ```
//! # use servanda::policy::Policy;
//! let text = "\
//! log log.example/audit+001e8832+AaodAL4JEwgdUh1uhHqXav0zmPRqV4kGGGoXF5f9V5AH
//! ## Two of these must have seen it.
//! witness w1 witness1.example+31d87edf+BN0/IwepDIixjqAzZAfBtL4PRdRMxDSJrz9zII4r8Jsj
//! witness w2 witness2.example+0dab6900+BDQG66kAMsTEEbt1xBGY7dKHrmnsYKB8KuNYmmACxfff
//! witness w3 witness3.example+4e9b300f+BEgmklOXGx9Sz3xLXXGnLzS0V27pHxXM8uuZ4/0XG69X
//! group g 2 w1 w2 w3
//! quorum g
//! ";
//! let policy: Policy = text.parse()?;
//! assert!(policy.satisfied(["w1", "w3"]) && !policy.satisfied(["w1"]));
//! # Ok::<(), servanda::policy::PolicyError>(())
//! ```
//!
//! Stricter than the specification: one key in two roles is refused, names and addresses must be UTF-8, and the last
//! line must have its end, so that no cut-off file passes. `quorum none` must be written out, and whoever relies on it is
//! to say so ([`Policy::quorum_is_none`]).

use crate::key::VerifyingKey;
use crate::key::vkey::{Kind, Vkey, VkeyError};
use crate::text::count;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// The longest policy, in bytes.
pub const POLICY_MAX: usize = 256 * 1024;

/// The most logs in a policy, the most witnesses, and the most groups.
pub const DEFINITIONS_MAX: usize = 256;

const NONE: &str = "none";

/// Why a text is no policy. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is longer than a policy may be.
    #[error("policy has {0} bytes, more than {POLICY_MAX}")]
    TooLong(usize),
    /// The last line has no end: the text may be cut off.
    #[error("the last line of the policy has no line feed")]
    Unfinished,
    /// No line says what the quorum is.
    #[error("policy has no quorum line: for no witnesses at all, say \"quorum none\"")]
    NoQuorum,
    /// A line is wrong.
    #[error("policy line {line}: {reason}")]
    Line {
        /// The number of the line.
        line: usize,
        /// What is wrong with it.
        reason: LineError,
    },
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is a control character other than the tab.
    #[error("control character {0:#04x}")]
    Control(u8),
    /// A name or address is not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// The line starts with another word than log, witness, group, quorum.
    #[error("{0:?} is not log, witness, group or quorum")]
    Keyword(String),
    /// The line has too few or too many words; a comment needs a line of its own.
    #[error("want \"{0}\"")]
    Words(&'static str),
    /// The key is malformed or cannot be admitted.
    #[error(transparent)]
    Vkey(#[from] VkeyError),
    /// A log's key signs cosignatures, or a witness's key signs notes.
    #[error("key {0} is for the other role")]
    Role(Box<Vkey>),
    /// The same public key stands in an earlier line, under whatever name.
    #[error("public key of {0} stands in the policy already")]
    DuplicateKey(Box<Vkey>),
    /// The name is defined in an earlier line, or is `none`.
    #[error("name {0:?} is taken")]
    DuplicateName(String),
    /// The name is not defined in an earlier line.
    #[error("name {0:?} is not defined above")]
    Undefined(String),
    /// A witness or group is a member twice, of one group or of two.
    #[error("{0:?} is a member already")]
    MemberTwice(String),
    /// The threshold is not `any`, `all`, or a number from 1 to that of the members.
    #[error("threshold {got:?} for {}", count(.members, "member", "members"))]
    Threshold {
        /// What stands there.
        got: String,
        /// The number of members.
        members: usize,
    },
    /// A quorum line stands above.
    #[error("a second quorum line")]
    SecondQuorum,
    /// There are more logs, witnesses or groups than a policy may have.
    #[error("more than {DEFINITIONS_MAX} of them")]
    TooMany,
}

/// A log that may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key; the key's name is the log's origin.
    pub vkey: Vkey,
    /// Where it is read, if the policy says so.
    pub url: Option<String>,
}

/// A witness that may cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name in this policy.
    pub name: String,
    /// Its key, under the name that stands in notes.
    pub vkey: Vkey,
    /// Where checkpoints are submitted, if the policy says so.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<Member>,
}

/// A witness or group, as a position in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Which logs, which witnesses, what quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    /// Members come before the groups they are in.
    groups: Vec<Group>,
    /// None: nobody needs to have cosigned.
    quorum: Option<Member>,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`] says which line is wrong, and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > POLICY_MAX {
            return Err(PolicyError::TooLong(bytes.len()));
        }
        if bytes.last().is_some_and(|&last| last != b'\n') {
            return Err(PolicyError::Unfinished);
        }
        let mut parser = Parser::default();
        for (line, bytes) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            parser.line(bytes).map_err(|reason| PolicyError::Line { line, reason })?;
        }
        parser.policy.quorum = parser.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(parser.policy)
    }

    /// Makes a policy of which any `threshold` of the witnesses are a quorum, or none need to cosign. The witnesses get
    /// the names of their keys.
    ///
    /// # Errors
    /// [`PolicyError`], as for the text of such a policy, with the line in that text.
    pub fn of(logs: &[Vkey], witnesses: &[Vkey], threshold: Option<usize>) -> Result<Self, PolicyError> {
        let mut text: String = logs.iter().map(|vkey| format!("log {vkey}\n")).collect();
        text.extend(witnesses.iter().map(|vkey| format!("witness {} {vkey}\n", vkey.name())));
        match threshold {
            None => text.push_str("quorum none\n"),
            Some(threshold) => {
                let members: String = witnesses.iter().map(|vkey| format!(" {}", vkey.name())).collect();
                // No key name holds a plus, so no witness has this one.
                let group = format!("{threshold}+of+{}", witnesses.len());
                text.push_str(&format!("group {group} {threshold}{members}\nquorum {group}\n"));
            }
        }
        text.parse()
    }

    /// The logs, any one of which may sign.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Tells whether a checkpoint counts without any cosignature: say so wherever it is relied on.
    #[must_use]
    pub fn quorum_is_none(&self) -> bool {
        self.quorum.is_none()
    }

    /// Tells whether these witnesses, by their names in this policy, are a quorum; other names count for nothing.
    #[must_use]
    pub fn satisfied<'a>(&self, cosigned: impl IntoIterator<Item = &'a str>) -> bool {
        let cosigned: BTreeSet<&str> = cosigned.into_iter().collect();
        let witnesses: Vec<bool> = self.witnesses.iter().map(|w| cosigned.contains(&*w.name)).collect();
        let mut groups: Vec<bool> = Vec::with_capacity(self.groups.len());
        let holds = |groups: &[bool], member: Member| match member {
            Member::Witness(at) => witnesses[at],
            Member::Group(at) => groups[at],
        };
        for group in &self.groups {
            let have = group.members.iter().filter(|&&member| holds(&groups, member)).count();
            groups.push(have >= group.threshold);
        }
        self.quorum.is_none_or(|member| holds(&groups, member))
    }

    /// Tells whether every quorum has one of these witnesses in it, so that what no one of them saw, no quorum did.
    /// Never so without a quorum.
    #[must_use]
    pub fn intersects_every_quorum<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let names: BTreeSet<&str> = names.into_iter().collect();
        !self.satisfied(self.witnesses.iter().map(|w| &*w.name).filter(|name| !names.contains(name)))
    }

    /// The fewest of these keys that a quorum can have among its witnesses.
    #[must_use]
    pub fn fewest_of(&self, keys: &[VerifyingKey]) -> usize {
        let of = |counts: &[usize], member: Member| match member {
            Member::Witness(at) => usize::from(keys.contains(self.witnesses[at].vkey.key())),
            Member::Group(at) => counts[at],
        };
        let mut counts: Vec<usize> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            // Nobody is a member twice, so the cheapest members make the cheapest group.
            let mut members: Vec<usize> = group.members.iter().map(|&member| of(&counts, member)).collect();
            members.sort_unstable();
            counts.push(members.iter().take(group.threshold).sum());
        }
        self.quorum.map_or(0, |member| of(&counts, member))
    }

    /// The same witnesses and quorum, with other logs.
    ///
    /// # Errors
    /// [`LineError`], if one is the key of no log, or stands twice.
    pub fn with_logs(&self, logs: impl IntoIterator<Item = Vkey>) -> Result<Self, LineError> {
        let mut policy = Self { logs: Vec::new(), ..self.clone() };
        logs.into_iter().try_for_each(|vkey| policy.add_log(Log { vkey, url: None }))?;
        Ok(policy)
    }

    /// The same logs and witnesses, with no quorum asked for.
    #[must_use]
    pub fn without_quorum(&self) -> Self {
        Self { quorum: None, ..self.clone() }
    }

    fn add_log(&mut self, log: Log) -> Result<(), LineError> {
        self.check_key(&log.vkey, Kind::Log)?;
        add(&mut self.logs, log)
    }

    fn check_key(&self, vkey: &Vkey, kind: Kind) -> Result<(), LineError> {
        if vkey.kind() != kind {
            return Err(LineError::Role(Box::new(vkey.clone())));
        }
        let mut known = self.logs.iter().map(|l| &l.vkey).chain(self.witnesses.iter().map(|w| &w.vkey));
        match known.any(|other| other.key() == vkey.key()) {
            true => Err(LineError::DuplicateKey(Box::new(vkey.clone()))),
            false => Ok(()),
        }
    }

    fn member_name(&self, member: Member) -> &str {
        match member {
            Member::Witness(at) => &self.witnesses[at].name,
            Member::Group(at) => &self.groups[at].name,
        }
    }
}

fn add<T>(list: &mut Vec<T>, item: T) -> Result<(), LineError> {
    if list.len() == DEFINITIONS_MAX {
        return Err(LineError::TooMany);
    }
    list.push(item);
    Ok(())
}

struct Parser {
    policy: Policy,
    /// None as long as no quorum line was read.
    quorum: Option<Option<Member>>,
    names: BTreeMap<String, Member>,
    /// Members of some group.
    taken: BTreeSet<Member>,
}

impl Default for Parser {
    fn default() -> Self {
        let policy = Policy { logs: Vec::new(), witnesses: Vec::new(), groups: Vec::new(), quorum: None };
        Self { policy, quorum: None, names: BTreeMap::new(), taken: BTreeSet::new() }
    }
}

impl Parser {
    fn line(&mut self, line: &[u8]) -> Result<(), LineError> {
        if let Some(&byte) = line.iter().find(|&&byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(LineError::Control(byte));
        }
        if line.trim_ascii_start().first().is_none_or(|&first| first == b'#') {
            return Ok(());
        }
        let line = std::str::from_utf8(line).map_err(|_| LineError::Utf8)?;
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words[..] {
            ["log", vkey] => self.log(vkey, None),
            ["log", vkey, url] => self.log(vkey, Some(url)),
            ["witness", name, vkey] => self.witness(name, vkey, None),
            ["witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            ["group", name, threshold, ref members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            ["quorum", name] => self.quorum(name),
            ["log", ..] => Err(LineError::Words("log <vkey> [<url>]")),
            ["witness", ..] => Err(LineError::Words("witness <name> <vkey> [<url>]")),
            ["group", ..] => Err(LineError::Words("group <name> any|all|<k> <member>...")),
            ["quorum", ..] => Err(LineError::Words("quorum <name>")),
            [word, ..] => Err(LineError::Keyword(word.to_owned())),
            [] => Ok(()),
        }
    }

    fn log(&mut self, vkey: &str, url: Option<&str>) -> Result<(), LineError> {
        self.policy.add_log(Log { vkey: vkey.parse()?, url: url.map(str::to_owned) })
    }

    fn witness(&mut self, name: &str, vkey: &str, url: Option<&str>) -> Result<(), LineError> {
        let vkey = vkey.parse()?;
        self.policy.check_key(&vkey, Kind::Cosignature)?;
        self.define(name, Member::Witness(self.policy.witnesses.len()))?;
        add(&mut self.policy.witnesses, Witness { name: name.to_owned(), vkey, url: url.map(str::to_owned) })
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), LineError> {
        let wrong = || LineError::Threshold { got: threshold.to_owned(), members: members.len() };
        let k = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => crate::text::decimal_u64(number).and_then(|k| k.try_into().ok()).ok_or_else(wrong)?,
        };
        if !(1..=members.len()).contains(&k) {
            return Err(wrong());
        }
        let mut found = Vec::with_capacity(members.len());
        for &name in members {
            let member = self.find(name)?;
            if !self.taken.insert(member) {
                return Err(LineError::MemberTwice(name.to_owned()));
            }
            found.push(member);
        }
        self.define(name, Member::Group(self.policy.groups.len()))?;
        add(&mut self.policy.groups, Group { name: name.to_owned(), threshold: k, members: found })
    }

    fn quorum(&mut self, name: &str) -> Result<(), LineError> {
        if self.quorum.is_some() {
            return Err(LineError::SecondQuorum);
        }
        self.quorum = Some(if name == NONE { None } else { Some(self.find(name)?) });
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), LineError> {
        if name == NONE || self.names.insert(name.to_owned(), member).is_some() {
            return Err(LineError::DuplicateName(name.to_owned()));
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Member, LineError> {
        self.names.get(name).copied().ok_or_else(|| LineError::Undefined(name.to_owned()))
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::parse(text.as_bytes())
    }
}

/// The policy as text, without comments; logs first, the quorum last.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(f, "log {}{}", log.vkey, url(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}{}", witness.name, witness.vkey, url(&witness.url))?;
        }
        for group in &self.groups {
            write!(f, "group {} {}", group.name, group.threshold)?;
            group.members.iter().try_for_each(|member| write!(f, " {}", self.member_name(*member)))?;
            writeln!(f)?;
        }
        writeln!(f, "quorum {}", self.quorum.map_or(NONE, |member| self.member_name(member)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use proptest::prelude::*;

    fn vkey(name: &str, kind: Kind, seed: u8) -> Vkey {
        let key = SigningKey::from_seed(&[seed; 32]).public();
        if kind == Kind::Log { Vkey::log(name, key) } else { Vkey::witness(name, key) }.unwrap()
    }

    fn witness(seed: u8) -> Vkey {
        vkey(&format!("w{seed}.example"), Kind::Cosignature, seed)
    }

    fn witnesses(count: u8) -> String {
        (1..=count).map(|i| format!("witness w{i} {}\n", witness(i))).collect()
    }

    fn refused(text: &str) -> LineError {
        match text.parse::<Policy>() {
            Err(PolicyError::Line { reason, .. }) => reason,
            other => panic!("{other:?} for {text}"),
        }
    }

    #[test]
    fn nested_groups_count_their_members() {
        let text = witnesses(6) + "group x 2 w1 w2 w3\ngroup y any w4 w5 w6\ngroup xy all x y\nquorum xy\n";
        let policy: Policy = text.parse().unwrap();
        assert!(policy.satisfied(["w1", "w3", "w5"]));
        assert!(!policy.satisfied(["w1", "w1", "w5"]));
        assert!(!policy.satisfied(["w1", "w2", "w3"]));
        assert!(!policy.satisfied(["w4", "w5", "w6", "x"]));
        assert!(!policy.satisfied([]));
        assert!(policy.intersects_every_quorum(["w1", "w2"]));
        assert!(policy.intersects_every_quorum(["w4", "w5", "w6"]));
        assert!(!policy.intersects_every_quorum(["w1", "w4", "w5"]));
    }

    #[test]
    fn the_fewest_of_some_keys_in_a_quorum_are_counted() {
        let keys: Vec<VerifyingKey> = (1..=3).map(|seed| *witness(seed).key()).collect();
        for (rest, want) in [
            ("quorum none\n", 0),
            ("quorum w1\n", 1),
            ("quorum w4\n", 0),
            ("group g 2 w1 w2 w3\nquorum g\n", 2),
            ("group g 2 w1 w2 w4\nquorum g\n", 1),
            ("group g all w1 w4\ngroup h all w2 w3\ngroup any any g h\nquorum any\n", 1),
            ("group g all w1 w4\ngroup h all w2 w3\ngroup all all g h\nquorum all\n", 3),
        ] {
            let policy: Policy = (witnesses(4) + rest).parse().unwrap();
            assert_eq!(policy.fewest_of(&keys), want, "{rest}");
        }
    }

    #[test]
    fn no_quorum_is_asked_for_in_words_and_never_intersected() {
        let none: Policy = "quorum none\n".parse().unwrap();
        assert!(none.quorum_is_none() && none.satisfied([]) && !none.intersects_every_quorum([]));
        let one: Policy = (witnesses(1) + "quorum w1\n").parse().unwrap();
        assert!(!one.quorum_is_none() && !one.satisfied([]) && one.satisfied(["w1"]));
        assert!(one.without_quorum().satisfied([]));
        for text in ["", "# nothing\n", &witnesses(1)] {
            assert_eq!(text.parse::<Policy>(), Err(PolicyError::NoQuorum));
        }
        assert_eq!(refused("quorum none\nquorum none\n"), LineError::SecondQuorum);
        assert_eq!(refused("quorum\n"), LineError::Words("quorum <name>"));
    }

    #[test]
    fn an_empty_or_unreachable_group_is_refused() {
        let two = witnesses(2);
        assert!(matches!(refused(&format!("{two}group g all\n")), LineError::Words(_)));
        for k in ["0", "3", "01", "+1", "none", "-1", "18446744073709551617"] {
            let want = LineError::Threshold { got: k.into(), members: 2 };
            assert_eq!(refused(&format!("{two}group g {k} w1 w2\n")), want);
        }
    }

    #[test]
    fn names_are_defined_once_above_and_are_members_once() {
        let two = witnesses(2);
        assert_eq!(refused("group g any w1\n"), LineError::Undefined("w1".into()));
        assert_eq!(refused(&format!("{two}group g any g\n")), LineError::Undefined("g".into()));
        assert_eq!(refused("quorum w1\n"), LineError::Undefined("w1".into()));
        assert_eq!(refused(&format!("{two}group w1 any w2\n")), LineError::DuplicateName("w1".into()));
        assert_eq!(
            refused(&format!("witness none {}\n", witness(3))),
            LineError::DuplicateName("none".into())
        );
        assert_eq!(refused(&format!("{two}group none any w2\n")), LineError::DuplicateName("none".into()));
        assert_eq!(refused(&format!("{two}group g any none\n")), LineError::Undefined("none".into()));
        assert_eq!(refused(&format!("{two}group g any w1 w1\n")), LineError::MemberTwice("w1".into()));
        let twice = format!("{two}group g any w1\ngroup h any w2 w1\n");
        assert_eq!(refused(&twice), LineError::MemberTwice("w1".into()));
    }

    #[test]
    fn one_key_has_one_role_under_one_name() {
        let (log, other_log) = (vkey("a", Kind::Log, 1), vkey("b", Kind::Log, 1));
        let (witness, same_key) = (vkey("a", Kind::Cosignature, 1), vkey("b", Kind::Cosignature, 1));
        assert_eq!(
            refused(&format!("log {log}\nlog {other_log}\n")),
            LineError::DuplicateKey(other_log.into())
        );
        let twice = format!("witness w {witness}\nwitness v {same_key}\n");
        assert_eq!(refused(&twice), LineError::DuplicateKey(same_key.into()));
        let both = format!("log {log}\nwitness w {witness}\n");
        assert_eq!(refused(&both), LineError::DuplicateKey(witness.clone().into()));
        assert_eq!(refused(&format!("log {witness}\n")), LineError::Role(witness.into()));
        assert_eq!(refused(&format!("witness w {log}\n")), LineError::Role(log.into()));
    }

    #[test]
    fn spaces_tabs_and_comments_are_ignored_but_not_at_the_end_of_a_line() {
        let text = format!(
            "\n \t\n# c\n\t # c\n \tlog \t {}  https://a.example \t\nquorum\tnone\n",
            vkey("a", Kind::Log, 1)
        );
        let policy: Policy = text.parse().unwrap();
        assert_eq!(policy.logs()[0].url.as_deref(), Some("https://a.example"));
        let commented = text.replace("none", "none # yes");
        assert_eq!(refused(&commented), LineError::Words("quorum <name>"));
        assert_eq!(refused("Quorum none\n"), LineError::Keyword("Quorum".into()));
        for byte in ['\r', '\u{c}', '\0', '\u{7f}'] {
            assert!(matches!(refused(&format!("# {byte}\nquorum none\n")), LineError::Control(_)));
        }
        assert!(Policy::parse(b"# \xff\nquorum none\n").is_ok());
        let name = [b"witness \xff ".to_vec(), witness(1).to_string().into_bytes(), b"\n".to_vec()].concat();
        assert!(matches!(Policy::parse(&name), Err(PolicyError::Line { line: 1, reason: LineError::Utf8 })));
    }

    #[test]
    fn a_policy_cut_off_or_past_a_limit_is_refused() {
        assert_eq!("quorum none".parse::<Policy>(), Err(PolicyError::Unfinished));
        let padded = |len: usize| format!("{}\nquorum none\n", "#".repeat(len - 13));
        assert!(padded(POLICY_MAX).parse::<Policy>().is_ok());
        assert_eq!(padded(POLICY_MAX + 1).parse::<Policy>(), Err(PolicyError::TooLong(POLICY_MAX + 1)));
        let logs = |count: usize| -> String {
            (0..count)
                .map(|i| {
                    let mut seed = [0; 32];
                    seed[..8].copy_from_slice(&i.to_le_bytes());
                    format!("log {}\n", Vkey::log("a", SigningKey::from_seed(&seed).public()).unwrap())
                })
                .chain(["quorum none\n".to_owned()])
                .collect()
        };
        assert!(logs(DEFINITIONS_MAX).parse::<Policy>().is_ok());
        assert_eq!(refused(&logs(DEFINITIONS_MAX + 1)), LineError::TooMany);
    }

    #[test]
    fn a_policy_is_made_from_keys() {
        let log = vkey("log.example", Kind::Log, 9);
        let policy =
            Policy::of(std::slice::from_ref(&log), &[witness(1), witness(2), witness(3)], Some(2)).unwrap();
        assert!(policy.satisfied(["w1.example", "w3.example"]) && !policy.satisfied(["w2.example"]));
        assert_eq!(policy.to_string().parse(), Ok(policy));
        assert!(Policy::of(&[log], &[], None).unwrap().quorum_is_none());
        assert!(matches!(
            Policy::of(&[], &[], Some(0)),
            Err(PolicyError::Line { reason: LineError::Words(_), .. })
        ));
        assert!(matches!(Policy::of(&[], &[witness(1)], Some(0)), Err(PolicyError::Line { .. })));
    }

    #[test]
    fn other_logs_go_with_the_same_witnesses() {
        let policy = Policy::of(&[vkey("old", Kind::Log, 8)], &[witness(1)], Some(1)).unwrap();
        let next = policy.with_logs([vkey("new", Kind::Log, 9)]).unwrap();
        assert_eq!((next.logs().len(), next.logs()[0].vkey.name()), (1, "new"));
        assert_eq!(next.witnesses(), policy.witnesses());
        assert!(matches!(policy.with_logs([vkey("new", Kind::Log, 1)]), Err(LineError::DuplicateKey(_))));
    }

    proptest! {
        #[test]
        fn no_quorum_has_fewer_of_some_keys(k in 1..3usize, l in 1..4usize, top in 1..3usize, of in 0..32u8) {
            let text = format!("{}group g {k} w1 w2\ngroup h {l} w3 w4 w5\ngroup t {top} g h\nquorum t\n", witnesses(5));
            let policy: Policy = text.parse().unwrap();
            let of: Vec<u8> = (0..5).filter(|n| of >> n & 1 == 1).map(|n| n + 1).collect();
            let keys: Vec<VerifyingKey> = of.iter().map(|seed| *witness(*seed).key()).collect();
            let quorums = (0..32u8).filter_map(|set| {
                let set: Vec<u8> = (0..5).filter(|n| set >> n & 1 == 1).map(|n| n + 1).collect();
                let names: Vec<String> = set.iter().map(|n| format!("w{n}")).collect();
                let holds = policy.satisfied(names.iter().map(String::as_str));
                holds.then(|| set.iter().filter(|n| of.contains(n)).count())
            });
            prop_assert_eq!(quorums.min(), Some(policy.fewest_of(&keys)));
        }

        #[test]
        fn any_bytes_are_refused_or_read_the_same_again(bytes: Vec<u8>) {
            let _ = Policy::parse(&bytes);
        }

        #[test]
        fn what_is_read_is_written_the_same(lines in proptest::collection::vec(
            "group [gh] (any|all|[0-3])( w[1-4]| g){1,3}|quorum (g|h|w1|none)|#.|", 1..5)) {
            let text = format!("{}{}\n", witnesses(4), lines.join("\n"));
            if let Ok(policy) = text.parse::<Policy>() {
                prop_assert_eq!(policy.to_string().parse(), Ok(policy));
            }
        }
    }
}

//! Policies: sigsum/sigsum-go `pkg/policy`, and two policies in use there.
//!
//! Sigsum's format is the forerunner of c2sp.org/tlog-policy: the same lines, with bare public keys in hexadecimal where
//! C2SP has vkeys. [`converted`] writes a vkey for each, and leaves all else as it is, errors included. Most keys of the
//! tests are no keys (`aaaa…`), so each stands for one that is derived from it; and from its role, since Sigsum lets
//! one key be a log's and a witness's, and we do not. What is tested is therefore the structure and the quorum.

use super::{cases, string, text};
use serde_json::Value;
use servanda::hash::sha256;
use servanda::key::vkey::Vkey;
use servanda::key::{SigningKey, VerifyingKey};
use servanda::policy::{LineError, Policy, PolicyError};

fn converted(sigsum: &str, key: impl Fn(&str, &str) -> VerifyingKey) -> String {
    let convert = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["log", hex, ref rest @ ..] => {
                let vkey = Vkey::log(&format!("sigsum.org/{hex}"), key("log", hex)).unwrap();
                format!("log {vkey} {}\n", rest.join(" "))
            }
            ["witness", name, hex, ref rest @ ..] => {
                let vkey = Vkey::witness(name, key("witness", hex)).unwrap();
                format!("witness {name} {vkey} {}\n", rest.join(" "))
            }
            _ => format!("{line}\n"),
        }
    };
    sigsum.strip_suffix('\n').map(|lines| lines.split('\n').map(convert).collect()).unwrap_or_default()
}

fn stand_in(role: &str, hex: &str) -> VerifyingKey {
    SigningKey::from_seed(&sha256(format!("{role} {hex}").as_bytes()).0).public()
}

/// The error that each malformed policy gets here; Sigsum's own words stand beside it in the file.
fn is_the_error(desc: &str, error: &PolicyError) -> bool {
    use LineError::*;
    let PolicyError::Line { reason, .. } = error else {
        return matches!(desc, "empty" | "missing quorum") && *error == PolicyError::NoQuorum;
    };
    match (desc, reason) {
        ("invalid control char (formfeed)", Control(0x0c))
        | ("invalid control char (DEL)", Control(0x7f)) => true,
        ("duplicate log" | "duplicate witness", DuplicateKey(_)) | ("end-of-line comment", Words(_)) => true,
        ("duplicate name", DuplicateName(name)) => name == "W1",
        ("duplicate none", DuplicateName(name)) | ("none as member", Undefined(name)) => name == "none",
        ("undef name", Undefined(name)) => name == "W3",
        ("repeated member", MemberTwice(name)) => name == "W1",
        ("member in two groups", MemberTwice(name)) => name == "W2",
        _ => false,
    }
}

fn numbered(prefix: &str, numbers: &Value) -> Vec<String> {
    numbers.as_array().unwrap().iter().map(|number| format!("{prefix}{number}")).collect()
}

#[test]
fn sigsums_policies_are_refused_or_satisfied_as_there() {
    let Some(cases) = cases("sigsum/policies/sigsum_go_policy_cases.json") else { return };
    assert_eq!(cases.len(), 15);
    let mut verdicts = 0;
    for case in &cases {
        let desc = string(case, "desc");
        let policy = converted(string(case, "config"), stand_in).parse::<Policy>();
        let policy = match policy {
            Ok(policy) => policy,
            Err(error) => {
                assert!(case["valid"] == false && is_the_error(desc, &error), "{desc}: {error}");
                continue;
            }
        };
        assert_eq!(case["valid"], true, "{desc}");
        let simple = case["quorum_cases"].as_array().into_iter().flatten();
        let simple = simple.map(|quorum| (numbered("W", &quorum[0]), &quorum[1]));
        let two_groups = case["quorum_cases_A_B"].as_array().into_iter().flatten();
        let two_groups = two_groups
            .map(|quorum| ([numbered("A", &quorum[0]), numbered("B", &quorum[1])].concat(), &quorum[2]));
        for (cosigned, want) in simple.chain(two_groups) {
            let satisfied = policy.satisfied(cosigned.iter().map(String::as_str));
            assert_eq!(satisfied, want.as_bool().unwrap(), "{desc}: {cosigned:?}");
            verdicts += 1;
        }
    }
    assert_eq!(verdicts, 9 + 14);
}

/// With the keys as they are: all of them can be admitted.
#[test]
fn the_policies_in_use_at_sigsum_hold_together() {
    let real = |_: &str, hex: &str| VerifyingKey::admit(&hex::decode(hex).unwrap()).unwrap();
    let Some(generic) = text("sigsum/policies/sigsum-generic-2025-1.txt") else { return };
    let policy: Policy = converted(&generic, real).parse().unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (2, 3));
    assert_eq!(policy.logs()[0].url.as_deref(), Some("https://seasalp.glasklar.is"));
    assert!(policy.satisfied(["witness.glasklar.is", "witness.mullvad.net"]));
    assert!(!policy.satisfied(["tillitis.se/tillitis-witness-1"]));

    let Some(test) = text("sigsum/policies/sigsum-test-2025-3.txt") else { return };
    let policy: Policy = converted(&test, real).parse().unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (2, 8));
    let three = ["remora.n621.de", "witness.stagemole.eu", "tillitis.se/test-witness-1"];
    let glasklar = ["poc.sigsum.org/nisse", "rgdd.se/poc-witness"];
    assert!(policy.satisfied([&three[..], &glasklar].concat()));
    assert!(!policy.satisfied([&three[..], &glasklar[..1]].concat()));
    assert_eq!(policy.to_string().parse(), Ok(policy));
    let remora = Vkey::witness(
        "remora.n621.de",
        real("", "ebcdeb78e7fdb2ef9227b2c1ef11e94600b55b4d6d9a57877e31ee89e59adc36"),
    );
    assert_eq!(hex::encode(remora.unwrap().key_id()), "da77ade7");
}

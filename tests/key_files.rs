//! OpenSSH key files: what is written reads back, what `ssh-keygen` writes is read and the reverse, what is damaged,
//! foreign or hostile is refused by name and never panics.

#![allow(clippy::unwrap_used)]

use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use servanda::key::openssh::{
    KeyFileError, MAX_COMMENT_LEN, MAX_KDF_ROUNDS, MAX_LINE_LEN, MAX_PRIVATE_LEN, PublicLine, read_private,
    write_private,
};
use servanda::key::{KeyError, SigningKey};
use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse, Bątterie";

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn line(n: u8, comment: &str) -> PublicLine {
    PublicLine { key: key(n).public(), comment: comment.to_owned() }
}

/// Reads with a passphrase at hand.
fn open(bytes: &[u8], passphrase: &str) -> Result<(SigningKey, String), KeyFileError> {
    read_private(bytes, || Ok(Zeroizing::new(passphrase.to_owned())))
}

/// Reads what must not ask for a passphrase.
fn open_plain(bytes: &[u8]) -> Result<(SigningKey, String), KeyFileError> {
    read_private(bytes, || panic!("asked for a passphrase"))
}

fn ssh_string(bytes: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

/// A public key line of any algorithm and key.
fn raw_line(outer: &str, inner: &str, key: &[u8]) -> String {
    let blob = [ssh_string(inner.as_bytes()), ssh_string(key)].concat();
    format!("{outer} {} someone", Base64::encode_string(&blob))
}

/// A private key file with this head and no sensible private part.
fn file_with_head(cipher: &str, kdf: &str, options: &[u8], keys: u32, algorithm: &str) -> String {
    let mut raw = b"openssh-key-v1\0".to_vec();
    for part in [cipher.as_bytes(), kdf.as_bytes(), options] {
        raw.extend(ssh_string(part));
    }
    raw.extend(keys.to_be_bytes());
    raw.extend(ssh_string(&[ssh_string(algorithm.as_bytes()), ssh_string(&[9; 32])].concat()));
    raw.extend(ssh_string(&[0; 160]));
    armoured(&raw)
}

fn armoured(raw: &[u8]) -> String {
    format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        Base64::encode_string(raw)
    )
}

fn unarmoured(text: &str) -> Vec<u8> {
    Base64::decode_vec(&text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn bcrypt_options(rounds: u32) -> Vec<u8> {
    [ssh_string(&[7; 16]), rounds.to_be_bytes().to_vec()].concat()
}

#[test]
fn a_public_line_reads_back_with_and_without_comment_and_newline() {
    let text = line(1, "duty officer, de").to_string();
    assert_eq!(
        text,
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c duty officer, de"
    );
    assert_eq!(PublicLine::parse(&text).unwrap(), line(1, "duty officer, de"));
    assert_eq!(PublicLine::parse(&format!("{text}\n")).unwrap(), line(1, "duty officer, de"));
    assert_eq!(PublicLine::parse(&format!("{text}\r\n")).unwrap(), line(1, "duty officer, de"));
    let bare = line(2, "").to_string();
    assert!(!bare.ends_with(' '));
    assert_eq!(bare.parse::<PublicLine>().unwrap(), line(2, ""));
    // ssh-keygen leaves a space before an empty comment.
    assert_eq!(PublicLine::parse(&format!("{bare} \n")).unwrap(), line(2, ""));
}

#[test]
fn other_algorithms_certificates_and_tokens_are_named() {
    for name in ["ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256"] {
        let error = PublicLine::parse(&raw_line(name, name, &[1; 64])).unwrap_err();
        assert!(matches!(&error, KeyFileError::Algorithm(shown) if shown == name), "{error}");
        assert!(error.hint().unwrap().contains("ssh-keygen -t ed25519"));
    }
    for name in ["ssh-ed25519-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com"] {
        let error = PublicLine::parse(&raw_line(name, name, &[1; 64])).unwrap_err();
        assert!(matches!(error, KeyFileError::Certificate(_)), "{error}");
    }
    for name in ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"] {
        let error = PublicLine::parse(&raw_line(name, name, &[1; 64])).unwrap_err();
        assert!(matches!(error, KeyFileError::Token(_)), "{error}");
    }
    let disguised = PublicLine::parse(&raw_line("ssh-ed25519", "ssh-rsa", &[1; 32])).unwrap_err();
    assert!(matches!(disguised, KeyFileError::Algorithm(shown) if shown == "ssh-rsa"));
}

#[test]
fn a_hostile_algorithm_name_is_shown_escaped_and_short() {
    let error =
        PublicLine::parse(&raw_line("ssh-ed25519", &format!("\u{1b}[2J{}", "x".repeat(900)), &[1; 32]));
    let shown = error.unwrap_err().to_string();
    assert!(shown.is_ascii() && !shown.contains('\u{1b}') && shown.len() < 200, "{shown}");
}

#[test]
fn weak_and_misencoded_keys_are_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let weak = PublicLine::parse(&raw_line("ssh-ed25519", "ssh-ed25519", &identity)).unwrap_err();
    assert!(matches!(weak, KeyFileError::Key(KeyError::Weak)), "{weak}");
    let no_point = PublicLine::parse(&raw_line("ssh-ed25519", "ssh-ed25519", &[0xff; 32])).unwrap_err();
    assert!(matches!(no_point, KeyFileError::Key(KeyError::NotCanonical)), "{no_point}");
    let short = PublicLine::parse(&raw_line("ssh-ed25519", "ssh-ed25519", &[1; 31])).unwrap_err();
    assert!(matches!(short, KeyFileError::Key(KeyError::Length(31))), "{short}");
}

#[test]
fn what_is_not_one_strict_line_is_refused() {
    let good = line(1, "c").to_string();
    let base64 = good.split(' ').nth(1).unwrap();
    for bad in [
        String::new(),
        "\n".to_owned(),
        "ssh-ed25519".to_owned(),
        format!(" {good}"),
        format!("ssh-ed25519  {base64} c"),
        format!("ssh-ed25519\t{base64} c"),
        format!("no-pty {good}"),
        format!("SSH-ED25519 {base64} c"),
        format!("ssh-ed25519 {base64}= c"),
        format!("ssh-ed25519 {}", &base64[..64]),
        format!("ssh-ed25519 {base64}AAAA c"),
        format!("# {good}"),
    ] {
        let error = PublicLine::parse(&bad).expect_err(&bad);
        assert!(matches!(error, KeyFileError::NotAPublicLine), "{bad:?}: {error}");
    }
    for bad in [format!("{good}\n{good}\n"), format!("{good}\n\n"), format!("{good}\u{1b}[2J")] {
        assert!(matches!(PublicLine::parse(&bad).expect_err(&bad), KeyFileError::Comment), "{bad:?}");
    }
    let private = write_private(&key(1), "c", None).unwrap();
    assert!(matches!(PublicLine::parse(&private).unwrap_err(), KeyFileError::PrivateGiven));
}

#[test]
fn lines_and_comments_have_limits() {
    let full = line(1, &"c".repeat(MAX_COMMENT_LEN)).to_string();
    assert!(PublicLine::parse(&full).is_ok());
    assert!(matches!(PublicLine::parse(&format!("{full}c")).unwrap_err(), KeyFileError::Comment));
    let long = full + &"c".repeat(MAX_LINE_LEN);
    assert!(matches!(PublicLine::parse(&long[..MAX_LINE_LEN]).unwrap_err(), KeyFileError::Comment));
    assert!(matches!(PublicLine::parse(&long[..=MAX_LINE_LEN]).unwrap_err(), KeyFileError::TooLong { .. }));
    assert!(write_private(&key(1), &"c".repeat(MAX_COMMENT_LEN), None).is_ok());
    let too_long = write_private(&key(1), &"c".repeat(MAX_COMMENT_LEN + 1), None).unwrap_err();
    assert!(matches!(too_long, KeyFileError::Comment));
    assert!(matches!(write_private(&key(1), "a\nb", None).unwrap_err(), KeyFileError::Comment));
}

#[test]
fn a_plain_file_reads_back_and_asks_for_nothing() {
    for comment in ["", "minister of defence, ua", "Міністерство"] {
        let file = write_private(&key(3), comment, None).unwrap();
        let (read, said) = open_plain(file.as_bytes()).unwrap();
        assert_eq!((read.public(), said.as_str()), (key(3).public(), comment));
        assert_eq!(read.sign(b"x"), key(3).sign(b"x"));
        let crlf = file.replace('\n', "\r\n");
        assert!(open_plain(crlf.as_bytes()).is_ok());
    }
}

#[test]
fn an_encrypted_file_opens_with_its_passphrase_alone_asked_once() {
    let file = write_private(&key(4), "de", Some(PASSPHRASE)).unwrap();
    let asked = Cell::new(0);
    let (read, comment) = read_private(file.as_bytes(), || {
        asked.set(asked.get() + 1);
        Ok(Zeroizing::new(PASSPHRASE.to_owned()))
    })
    .unwrap();
    assert_eq!((read.public(), comment.as_str(), asked.get()), (key(4).public(), "de", 1));
    for wrong in ["", "x", "Correct horse, Bątterie"] {
        assert!(matches!(open(file.as_bytes(), wrong).unwrap_err(), KeyFileError::WrongPassphrase));
    }
    let unasked = read_private(file.as_bytes(), || Err(std::io::Error::other("no terminal"))).unwrap_err();
    assert!(matches!(unasked, KeyFileError::NoPassphrase(_)));
    assert!(matches!(write_private(&key(4), "", Some("")).unwrap_err(), KeyFileError::EmptyPassphrase));
    let again = write_private(&key(4), "de", Some(PASSPHRASE)).unwrap();
    assert_ne!(*file, *again, "each file has a salt of its own");
}

#[test]
fn a_public_half_of_another_key_is_refused_in_each_of_its_places() {
    let raw = unarmoured(&write_private(&key(5), "c", None).unwrap());
    let (half, other) = (key(5).public().to_bytes(), key(6).public().to_bytes());
    let places: Vec<usize> = (0..raw.len() - 32).filter(|&at| raw[at..at + 32] == half).collect();
    assert_eq!(places.len(), 3);
    let all = places.iter().fold(raw.clone(), |mut changed, &at| {
        changed[at..at + 32].copy_from_slice(&other);
        changed
    });
    for changed in places.iter().map(|&at| [&raw[..at], &other, &raw[at + 32..]].concat()).chain([all]) {
        let error = open_plain(armoured(&changed).as_bytes()).unwrap_err();
        assert!(matches!(error, KeyFileError::PublicHalf), "{error}");
    }
}

#[test]
fn another_implementation_reads_our_files() {
    let plain = write_private(&key(7), "c", None).unwrap();
    let encrypted = write_private(&key(7), "c", Some(PASSPHRASE)).unwrap();
    let opened = ssh_key::PrivateKey::from_openssh(&*encrypted).unwrap().decrypt(PASSPHRASE).unwrap();
    for file in [ssh_key::PrivateKey::from_openssh(&*plain).unwrap(), opened] {
        let pair = file.key_data().ed25519().unwrap();
        assert_eq!((pair.private.to_bytes(), file.comment()), ([7; 32], "c"));
    }
}

#[test]
fn foreign_files_are_named_with_a_way_out() {
    let pkcs8 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    let putty = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n";
    let error = open_plain(pkcs8.as_bytes()).unwrap_err();
    assert!(
        matches!(error, KeyFileError::Pem) && error.hint().unwrap().contains("ssh-keygen -p -f"),
        "{error}"
    );
    let error = open_plain(putty.as_bytes()).unwrap_err();
    assert!(matches!(error, KeyFileError::Putty) && error.hint().unwrap().contains("puttygen"), "{error}");
    let error = open_plain(line(1, "c").to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, KeyFileError::PublicGiven), "{error}");
    for nothing in [&b""[..], b"\xff\xfe", b"seed: 00", b"-----BEGIN OPENSSH"] {
        assert!(matches!(open_plain(nothing).unwrap_err(), KeyFileError::NotAPrivateFile));
    }
}

#[test]
fn what_cannot_be_opened_is_refused_before_a_passphrase_is_asked() {
    let head = |cipher, kdf, rounds, keys, algorithm| {
        open_plain(file_with_head(cipher, kdf, &bcrypt_options(rounds), keys, algorithm).as_bytes())
            .unwrap_err()
    };
    let rsa = head("aes256-ctr", "bcrypt", 16, 1, "ssh-rsa");
    assert!(matches!(&rsa, KeyFileError::Algorithm(name) if name == "ssh-rsa"), "{rsa}");
    assert!(matches!(
        head("aes256-ctr", "bcrypt", 16, 1, "sk-ssh-ed25519@openssh.com"),
        KeyFileError::Token(_)
    ));
    assert!(matches!(head("aes256-ctr", "bcrypt", 16, 0, "ssh-ed25519"), KeyFileError::Count(0)));
    assert!(matches!(head("aes256-ctr", "bcrypt", 16, 2, "ssh-ed25519"), KeyFileError::Count(2)));
    assert!(matches!(head("3des-cbc", "bcrypt", 16, 1, "ssh-ed25519"), KeyFileError::Encryption { .. }));
    assert!(matches!(head("aes256-ctr", "none", 16, 1, "ssh-ed25519"), KeyFileError::Encryption { .. }));
    assert!(matches!(head("aes256-ctr", "argon2", 16, 1, "ssh-ed25519"), KeyFileError::Encryption { .. }));
    assert!(matches!(head("aes256-ctr", "bcrypt", 0, 1, "ssh-ed25519"), KeyFileError::Rounds(0)));
    let over = MAX_KDF_ROUNDS + 1;
    assert!(
        matches!(head("aes256-ctr", "bcrypt", over, 1, "ssh-ed25519"), KeyFileError::Rounds(n) if n == over)
    );
    // At the limit the passphrase is asked for; it is not given, so that nothing is computed.
    let at = file_with_head("aes256-ctr", "bcrypt", &bcrypt_options(MAX_KDF_ROUNDS), 1, "ssh-ed25519");
    let asked = read_private(at.as_bytes(), || Err(std::io::Error::other("not today"))).unwrap_err();
    assert!(matches!(asked, KeyFileError::NoPassphrase(_)), "{asked}");
}

#[test]
fn a_file_past_the_limit_is_not_looked_at() {
    let mut file = write_private(&key(1), "c", None).unwrap().as_bytes().to_vec();
    file.resize(MAX_PRIVATE_LEN, b'\n');
    assert!(open_plain(&file).is_ok());
    file.push(b'\n');
    assert!(matches!(
        open_plain(&file).unwrap_err(),
        KeyFileError::TooLong { len: 65_537, max: MAX_PRIVATE_LEN }
    ));
}

#[test]
fn every_cut_of_a_file_is_refused() {
    let plain = write_private(&key(1), "comment", None).unwrap();
    let encrypted = write_private(&key(1), "comment", Some("p")).unwrap();
    for text in [&*plain, &*encrypted] {
        for len in 0..text.trim_end().len() {
            assert!(open_plain(&text.as_bytes()[..len]).is_err(), "cut at {len}");
        }
        let raw =
            Base64::decode_vec(&text.lines().filter(|l| !l.starts_with('-')).collect::<String>()).unwrap();
        for len in 0..raw.len() {
            assert!(open_plain(armoured(&raw[..len]).as_bytes()).is_err(), "content cut at {len}");
        }
        assert!(
            open_plain(armoured(&[&raw[..], &[0]].concat()).as_bytes()).is_err(),
            "content with a byte more"
        );
    }
}

#[test]
fn nothing_shown_holds_the_seed() {
    let seed = [0xa7; 32];
    let secret = SigningKey::from_seed(&seed);
    let shown = format!("{secret:?}");
    assert!(!shown.contains(&hex::encode(seed)) && !shown.contains("167, 167"), "{shown}");
    let file = write_private(&secret, "c", None).unwrap();
    let error = open_plain(&file.as_bytes()[..200]).unwrap_err();
    assert_eq!(format!("{error:?}"), "Damaged");
}

#[test]
fn a_flipped_bit_changes_the_comment_or_is_found() {
    let raw = unarmoured(&write_private(&key(1), "comment", None).unwrap());
    for (at, bit) in (0..raw.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut changed = raw.clone();
        changed[at] ^= 1 << bit;
        // Where a flip makes the file look encrypted, its passphrase is asked for; we have none.
        if let Ok((read, comment)) =
            read_private(armoured(&changed).as_bytes(), || Err(std::io::Error::other("none")))
        {
            assert_eq!(read.public(), key(1).public(), "byte {at}, bit {bit}");
            assert_ne!(comment, "comment", "byte {at}, bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_as_a_public_line_is_read_or_refused(text in ".{0,200}") {
        if let Ok(line) = PublicLine::parse(&text) {
            prop_assert_eq!(PublicLine::parse(&line.to_string()).unwrap(), line);
        }
    }

    #[test]
    fn a_public_line_with_a_changed_byte_is_refused_or_is_another(at in 0usize..97, to in 0x20u8..0x7f) {
        let good = line(1, "duty officer, de").to_string();
        let mut bytes = good.clone().into_bytes();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        if let Ok(other) = PublicLine::parse(std::str::from_utf8(&bytes).unwrap()) {
            prop_assert_ne!(other, line(1, "duty officer, de"));
        }
    }

    #[test]
    fn any_bytes_as_a_private_file_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open_plain(&bytes).is_err());
        prop_assert!(open_plain(armoured(&bytes).as_bytes()).is_err());
        prop_assert!(open_plain(armoured(&[&b"openssh-key-v1\0"[..], &bytes].concat()).as_bytes()).is_err());
    }

    #[test]
    fn any_key_and_comment_read_back(seed in any::<[u8; 32]>(), comment in "[^\\p{Cc}]{0,60}") {
        let secret = SigningKey::from_seed(&seed);
        let (read, said) = open_plain(write_private(&secret, &comment, None).unwrap().as_bytes()).unwrap();
        prop_assert_eq!((read.public(), &said), (secret.public(), &comment));
        let public = PublicLine { key: secret.public(), comment };
        prop_assert_eq!(PublicLine::parse(&public.to_string()).unwrap(), public);
    }
}

/// Runs `ssh-keygen` in a folder and gives its standard output; none, with a message, where there is no such program.
fn ssh_keygen(folder: &Path, args: &[&str]) -> Option<String> {
    match Command::new("ssh-keygen").current_dir(folder).args(args).output() {
        Ok(done) => {
            assert!(done.status.success(), "ssh-keygen {args:?}: {}", String::from_utf8_lossy(&done.stderr));
            Some(String::from_utf8(done.stdout).unwrap())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            crate::support::missing("there is no ssh-keygen");
            None
        }
        Err(error) => panic!("ssh-keygen: {error}"),
    }
}

/// Writes a private key file that `ssh-keygen` agrees to read: nobody else may.
fn lay(folder: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn ssh_keygen_reads_and_re_encrypts_our_files() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    for (name, passphrase) in [("plain", None), ("encrypted", Some(PASSPHRASE))] {
        lay(folder, name, &write_private(&key(8), "duty officer, ua", passphrase).unwrap());
        let given = passphrase.unwrap_or("");
        let Some(shown) = ssh_keygen(folder, &["-y", "-P", given, "-f", name]) else { return };
        assert_eq!(shown, format!("{}\n", line(8, "duty officer, ua")));
        ssh_keygen(folder, &["-q", "-p", "-P", given, "-N", "another", "-f", name]).unwrap();
        let (read, comment) = open(&std::fs::read(folder.join(name)).unwrap(), "another").unwrap();
        assert_eq!((read.public(), comment.as_str()), (key(8).public(), "duty officer, ua"));
    }
}

#[test]
fn files_of_ssh_keygen_are_read_under_every_cipher_and_many_rounds() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let make = ["-q", "-t", "ed25519", "-C", "who: ministère", "-f", "plain", "-N", ""];
    if ssh_keygen(folder, &make).is_none() {
        return;
    }
    let public = std::fs::read_to_string(folder.join("plain.pub")).unwrap();
    let told = PublicLine::parse(&public).unwrap();
    assert_eq!(format!("{told}\n"), public, "the line is written as ssh-keygen writes it");
    let plain = std::fs::read(folder.join("plain")).unwrap();
    let (read, comment) = open_plain(&plain).unwrap();
    assert_eq!((read.public(), &comment), (told.key, &told.comment));
    assert_eq!(plain.len(), write_private(&read, &comment, None).unwrap().len());
    for cipher in [
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
        "aes256-cbc",
        "aes128-cbc",
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ] {
        let rounds = if cipher == "aes256-ctr" { "100" } else { "1" };
        lay(folder, "again", std::str::from_utf8(&plain).unwrap());
        ssh_keygen(folder, &["-q", "-p", "-P", "", "-N", "pass", "-Z", cipher, "-a", rounds, "-f", "again"])
            .unwrap();
        let file = std::fs::read(folder.join("again")).unwrap();
        let (read, comment) = open(&file, "pass").unwrap_or_else(|error| panic!("{cipher}: {error}"));
        assert_eq!((read.public(), &comment), (told.key, &told.comment), "{cipher}");
        assert!(matches!(open(&file, "Pass").unwrap_err(), KeyFileError::WrongPassphrase), "{cipher}");
    }
}

#[test]
fn other_keys_of_ssh_keygen_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    for (algorithm, bits, name) in [("rsa", "2048", "ssh-rsa"), ("ecdsa", "256", "ecdsa-sha2-nistp256")] {
        let make = ["-q", "-t", algorithm, "-b", bits, "-N", "secret", "-a", "1", "-f", algorithm];
        if ssh_keygen(folder, &make).is_none() {
            return;
        }
        let error = open_plain(&std::fs::read(folder.join(algorithm)).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), format!("the key's algorithm is {name}, want ssh-ed25519"));
        let public = std::fs::read_to_string(folder.join(format!("{algorithm}.pub"))).unwrap();
        let error = PublicLine::parse(&public).unwrap_err();
        assert_eq!(error.to_string(), format!("the key's algorithm is {name}, want ssh-ed25519"));
    }
}

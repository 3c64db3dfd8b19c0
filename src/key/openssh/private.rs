//! OpenSSH private key files: reading and writing them, with or without a passphrase.
//!
//! Between the two armour lines stands base64 of (OpenSSH, `PROTOCOL.key`; strings have their length before them)
//!
//! ```text
//! "openssh-key-v1\0"
//! string  cipher              "aes256-ctr", or "none"
//! string  kdf                 "bcrypt", or "none"
//! string  kdf options         string salt, u32 rounds; or empty
//! u32     1                   the number of keys
//! string  public key          string "ssh-ed25519", string key[32]
//! string  private part        encrypted under the cipher, padded to its block with 01 02 03 …:
//!           u32 check, u32 check
//!           string "ssh-ed25519", string key[32], string seed[32] || key[32], string comment
//! tag[16]                     of the ciphers that authenticate
//! ```
//!
//! What can be refused from the head is refused before anyone is asked for a passphrase. Every length must fit exactly:
//! a file reads back to what was written, or not at all. What held the seed is wiped. Ciphers and key derivation are the
//! `ssh-key` crate's.

use super::{
    ED25519_NAME, KeyFileError, Wire, check_comment, is_algorithm, printable, public_blob, put_string,
    read_public_blob,
};
use crate::key::{PUBLIC_KEY_LEN, SigningKey};
use base64ct::{Base64, Encoding};
use ssh_key::{Cipher, Kdf};
use zeroize::{Zeroize, Zeroizing};

/// The longest private key file, in bytes.
pub const MAX_PRIVATE_LEN: usize = 65_536;

/// The rounds of bcrypt-pbkdf in files that are written here: about a quarter of a second.
pub const KDF_ROUNDS: u32 = 24;

/// The most rounds that are computed for a file: some 20 seconds. A hostile file could ask for days.
pub const MAX_KDF_ROUNDS: u32 = 2_000;

const MAGIC: &[u8] = b"openssh-key-v1\0";
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const LINE_WIDTH: usize = 70;
const SALT_LEN: usize = 16;
const TAG_LEN: usize = 16;
const SEED_LEN: usize = 32;

/// The ciphers that a file may be encrypted with: all of OpenSSH's but 3des-cbc.
const CIPHERS: [Cipher; 9] = [
    Cipher::Aes256Ctr,
    Cipher::Aes192Ctr,
    Cipher::Aes128Ctr,
    Cipher::Aes256Cbc,
    Cipher::Aes192Cbc,
    Cipher::Aes128Cbc,
    Cipher::Aes256Gcm,
    Cipher::Aes128Gcm,
    Cipher::ChaCha20Poly1305,
];

/// Reads a private key file and its comment. `passphrase` is asked once, and only if the file is encrypted.
///
/// # Errors
/// [`KeyFileError`]; a wrong passphrase is [`KeyFileError::WrongPassphrase`], so that the caller may ask again.
pub fn read_private(
    bytes: &[u8],
    passphrase: impl FnOnce() -> std::io::Result<Zeroizing<String>>,
) -> Result<(SigningKey, String), KeyFileError> {
    let raw = open_armour(bytes)?;
    let file = Sealed::read(&raw)?;
    let mut part = Zeroizing::new(file.part.to_vec());
    if let Some(lock) = &file.lock {
        let passphrase = passphrase().map_err(KeyFileError::NoPassphrase)?;
        lock.open(passphrase.as_bytes(), &mut part)?;
    }
    let mut wire = Wire(&part);
    match (wire.u32(), wire.u32()) {
        (Some(one), Some(other)) if one == other => {}
        _ if file.lock.is_some() => return Err(KeyFileError::WrongPassphrase),
        _ => return Err(KeyFileError::Damaged),
    }
    read_part(wire, &file)
}

/// Writes a private key file, encrypted (aes256-ctr, bcrypt with [`KDF_ROUNDS`]) where there is a passphrase.
///
/// # Errors
/// [`KeyFileError::Comment`], [`KeyFileError::EmptyPassphrase`], [`KeyFileError::Random`].
pub fn write_private(
    key: &SigningKey,
    comment: &str,
    passphrase: Option<&str>,
) -> Result<Zeroizing<String>, KeyFileError> {
    check_comment(comment)?;
    if passphrase == Some("") {
        return Err(KeyFileError::EmptyPassphrase);
    }
    let (mut salt, mut check) = ([0; SALT_LEN], [0; 4]);
    getrandom::fill(&mut salt).and_then(|()| getrandom::fill(&mut check)).map_err(KeyFileError::Random)?;

    let cipher = if passphrase.is_some() { Cipher::Aes256Ctr } else { Cipher::None };
    let mut part = private_part(key, comment, check, cipher.block_size());
    let (mut kdf, mut options) = ("none", Vec::new());
    if let Some(passphrase) = passphrase {
        let lock = Lock { cipher, salt: &salt, rounds: KDF_ROUNDS, tag: None };
        let (secret, iv) = lock.derive(passphrase.as_bytes()).expect("passphrase, salt and rounds are there");
        cipher.encrypt(&secret, &iv, &mut part).expect("the part is padded to the block");
        put_string(&mut options, &salt);
        options.extend_from_slice(&KDF_ROUNDS.to_be_bytes());
        kdf = "bcrypt";
    }

    // No secret is left behind by growing: what is reserved is enough.
    let mut raw = Zeroizing::new(Vec::with_capacity(256 + part.len()));
    raw.extend_from_slice(MAGIC);
    put_string(&mut raw, cipher.as_str().as_bytes());
    put_string(&mut raw, kdf.as_bytes());
    put_string(&mut raw, &options);
    raw.extend_from_slice(&1u32.to_be_bytes());
    put_string(&mut raw, &public_blob(&key.public()));
    put_string(&mut raw, &part);
    Ok(put_armour(&raw))
}

/// A file's content, nothing decrypted.
struct Sealed<'a> {
    public: &'a [u8],
    lock: Option<Lock<'a>>,
    part: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn read(raw: &'a [u8]) -> Result<Self, KeyFileError> {
        let mut wire = Wire(raw.strip_prefix(MAGIC).ok_or(KeyFileError::Damaged)?);
        let mut string = || wire.string().ok_or(KeyFileError::Damaged);
        let (cipher, kdf, options) = (string()?, string()?, string()?);
        let keys = wire.u32().ok_or(KeyFileError::Damaged)?;
        if keys != 1 {
            return Err(KeyFileError::Count(keys));
        }
        let blob = wire.string().ok_or(KeyFileError::Damaged)?;
        let public = read_public_blob(blob)?.ok_or(KeyFileError::Damaged)?;
        let mut lock = Lock::read(cipher, kdf, options)?;
        let part = wire.string().ok_or(KeyFileError::Damaged)?;
        if let Some(lock) = &mut lock
            && lock.cipher.has_tag()
        {
            let (tag, rest) = wire.0.split_first_chunk::<TAG_LEN>().ok_or(KeyFileError::Damaged)?;
            (lock.tag, wire.0) = (Some(*tag), rest);
        }
        let block = lock.as_ref().map_or(Cipher::None, |lock| lock.cipher).block_size();
        if !wire.0.is_empty() || !part.len().is_multiple_of(block) || public.len() != PUBLIC_KEY_LEN {
            return Err(KeyFileError::Damaged);
        }
        Ok(Self { public, lock, part })
    }
}

/// How a file is encrypted.
struct Lock<'a> {
    cipher: Cipher,
    salt: &'a [u8],
    rounds: u32,
    tag: Option<[u8; TAG_LEN]>,
}

impl<'a> Lock<'a> {
    /// None where the file is not encrypted.
    fn read(cipher: &'a [u8], kdf: &'a [u8], options: &'a [u8]) -> Result<Option<Self>, KeyFileError> {
        if (cipher, kdf) == (b"none", b"none") {
            return if options.is_empty() { Ok(None) } else { Err(KeyFileError::Damaged) };
        }
        let known = CIPHERS.into_iter().find(|known| known.as_str().as_bytes() == cipher);
        let (Some(cipher), b"bcrypt") = (known, kdf) else {
            return Err(KeyFileError::Encryption { cipher: printable(cipher), kdf: printable(kdf) });
        };
        let mut options = Wire(options);
        let (Some(salt), Some(rounds), []) = (options.string(), options.u32(), options.0) else {
            return Err(KeyFileError::Damaged);
        };
        if rounds == 0 || rounds > MAX_KDF_ROUNDS {
            return Err(KeyFileError::Rounds(rounds));
        }
        if salt.is_empty() {
            Err(KeyFileError::Damaged)
        } else {
            Ok(Some(Self { cipher, salt, rounds, tag: None }))
        }
    }

    /// Decrypts in place. Ciphers that do not authenticate always succeed: their caller compares the check words.
    fn open(&self, passphrase: &[u8], part: &mut [u8]) -> Result<(), KeyFileError> {
        let (secret, iv) = self.derive(passphrase).map_err(|_| KeyFileError::WrongPassphrase)?;
        self.cipher.decrypt(&secret, &iv, part, self.tag).map_err(|_| KeyFileError::WrongPassphrase)
    }

    /// The cipher's key and initial vector; fails on an empty passphrase.
    fn derive(&self, passphrase: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), ssh_key::Error> {
        let kdf = Kdf::Bcrypt { salt: self.salt.to_vec(), rounds: self.rounds };
        kdf.derive_key_and_iv(self.cipher, passphrase)
    }
}

/// Reads the decrypted part after its check words. All three copies of the public half must be the seed's.
fn read_part(mut wire: Wire<'_>, file: &Sealed<'_>) -> Result<(SigningKey, String), KeyFileError> {
    let mut string = || wire.string().ok_or(KeyFileError::Damaged);
    let (name, public, pair, comment) = (string()?, string()?, string()?, string()?);
    let (seed, again) = pair.split_first_chunk::<SEED_LEN>().ok_or(KeyFileError::Damaged)?;
    let block = file.lock.as_ref().map_or(Cipher::None, |lock| lock.cipher).block_size();
    let padded = wire.0.len() < block && wire.0.iter().zip(1u8..).all(|(&byte, n)| byte == n);
    if name != ED25519_NAME.as_bytes() || !padded {
        return Err(KeyFileError::Damaged);
    }
    let key = SigningKey::from_seed(seed);
    let ours = key.public().to_bytes();
    if [file.public, public, again].iter().any(|&half| half != ours) {
        return Err(KeyFileError::PublicHalf);
    }
    let comment = std::str::from_utf8(comment).map_err(|_| KeyFileError::Comment)?;
    check_comment(comment)?;
    Ok((key, comment.to_owned()))
}

/// The part to be encrypted, padded to the block.
fn private_part(key: &SigningKey, comment: &str, check: [u8; 4], block: usize) -> Zeroizing<Vec<u8>> {
    let public = key.public().to_bytes();
    let mut pair = Zeroizing::new([0; SEED_LEN + PUBLIC_KEY_LEN]);
    pair[..SEED_LEN].copy_from_slice(&*key.seed());
    pair[SEED_LEN..].copy_from_slice(&public);
    let mut part = Zeroizing::new(Vec::with_capacity(256 + comment.len()));
    part.extend_from_slice(&check);
    part.extend_from_slice(&check);
    put_string(&mut part, ED25519_NAME.as_bytes());
    put_string(&mut part, &public);
    put_string(&mut part, &*pair);
    put_string(&mut part, comment.as_bytes());
    let padding = part.len().next_multiple_of(block) - part.len();
    part.extend((1u8..).take(padding));
    part
}

/// Takes the armour off: the base64 between the two lines; how its lines are broken is not looked at.
fn open_armour(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    if bytes.len() > MAX_PRIVATE_LEN {
        return Err(KeyFileError::TooLong { len: bytes.len(), max: MAX_PRIVATE_LEN });
    }
    let body = bytes.strip_prefix(BEGIN.as_bytes()).ok_or_else(|| name_foreign(bytes))?;
    let body = body.trim_ascii_end().strip_suffix(END.as_bytes()).ok_or(KeyFileError::Damaged)?;
    let mut base64 = Zeroizing::new(Vec::with_capacity(body.len()));
    base64.extend(body.iter().filter(|&&byte| byte != b'\n' && byte != b'\r'));
    let mut raw = Zeroizing::new(vec![0; base64.len()]);
    let len = Base64::decode(&*base64, &mut raw).map_err(|_| KeyFileError::Damaged)?.len();
    raw[len..].zeroize();
    raw.truncate(len);
    Ok(raw)
}

/// Says what a file is that does not begin with the armour line.
fn name_foreign(bytes: &[u8]) -> KeyFileError {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes).trim_ascii_end();
    let word = line.split(|&byte| byte == b' ').next().unwrap_or(line);
    if line.starts_with(b"PuTTY-User-Key-File-") {
        KeyFileError::Putty
    } else if line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----") {
        KeyFileError::Pem
    } else if std::str::from_utf8(word).is_ok_and(is_algorithm) {
        KeyFileError::PublicGiven
    } else {
        KeyFileError::NotAPrivateFile
    }
}

fn put_armour(raw: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(Base64::encode_string(raw));
    let mut text = Zeroizing::new(String::with_capacity(128 + base64.len() + base64.len() / LINE_WIDTH));
    text.push_str(BEGIN);
    text.push('\n');
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE_WIDTH));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(END);
    text.push('\n');
    text
}

//! The encoding of single values, good and bad, by the names of their types in `docs/spec.md`.

use crate::support::small_log::at;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use servanda::charter::Aspect;
use servanda::codec::{Bytes, List, decode, encode};
use servanda::field::{Class, Classes, Day, Decimal, Duration, Handle, Roles, Short};
use servanda::hash::sha256;

/// One value in its one encoding.
fn value<T>(of: &str, value: T) -> Value
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = encode(&value);
    assert_eq!(decode::<T>(&bytes, bytes.len()).unwrap(), value);
    json!({"type": of, "value": value, "hex": hex::encode(bytes)})
}

pub fn good() -> Value {
    let mut all = vec![value("u8", 0u8), value("u8", 251u8), value("u8", 255u8)];
    all.extend([1u16, 250, 251, 65_535].map(|n| value("u16", n)));
    let edges = [0u64, 1, 250, 251, 65_535, 65_536, 4_294_967_295, 4_294_967_296, u64::MAX];
    // As text: not every reader of JSON holds 64 bits.
    all.extend(edges.map(|n| json!({"type": "u64", "value": n.to_string(), "hex": hex::encode(encode(&n))})));
    let signed = [0i64, -1, 1, -125, 125, -126, 126, i64::MIN, i64::MAX];
    all.extend(
        signed.map(|n| json!({"type": "i64", "value": n.to_string(), "hex": hex::encode(encode(&n))})),
    );
    all.extend([value("bool", false), value("bool", true)]);
    all.extend(["", "de", "Größe ₴"].map(|text| value("short", Short::new(text).unwrap())));
    all.push(value("short", Short::new("x".repeat(256)).unwrap()));
    all.push(value("bytes", Bytes(vec![0, 0xff])));
    all.extend([value("option of u64", None::<u64>), value("option of u64", Some(251u64))]);
    all.extend([value("list of u64", List::<u64>(vec![])), value("list of u64", List(vec![0u64, 300]))]);
    all.push(value("digest", sha256(b"")));
    all.push(value("handle", "operator".parse::<Handle>().unwrap()));
    all.extend(["0", "0.25", "7100000000"].map(|d| value("decimal", d.parse::<Decimal>().unwrap())));
    let instants = ["1970-01-01T00:00Z", "2026-12-01T12:00Z", "9999-12-31T23:59:59.999Z"];
    all.extend(instants.map(|text| value("instant", at(text))));
    let days = ["0000-01-01", "1969-12-31", "1970-01-01", "2026-12-01", "9999-12-31"];
    all.extend(days.map(|text| value("day", text.parse::<Day>().unwrap())));
    all.extend(
        ["no time", "72h", "1 year 6 months 3 days"]
            .map(|d| value("duration", d.parse::<Duration>().unwrap())),
    );
    all.push(value("duration", Duration::new(120_000, 3_700_000, 320_000_000_000_000).unwrap()));
    all.push(value("classes", [Class::Govern, Class::OperateLog].into_iter().collect::<Classes>()));
    all.push(value("roles", Roles::from_bits(6).unwrap()));
    all.push(value("aspect", Aspect::Delivered));
    all.into()
}

/// A value that must be refused.
fn refuse<T>(of: &str, name: &str, bytes: &[u8]) -> Value
where
    T: Serialize + DeserializeOwned + std::fmt::Debug,
{
    let read = decode::<T>(bytes, 1 << 16);
    assert!(read.is_err(), "{of}: {name}: {read:?}");
    json!({"type": of, "name": name, "hex": hex::encode(bytes)})
}

pub fn refused() -> Value {
    let long_text = |len: usize| encode(&"x".repeat(len));
    let number = |n: u64| encode(&n);
    let text = |text: &str| encode(&text);
    vec![
        refuse::<u64>("u64", "nothing", &[]),
        refuse::<u64>("u64", "over-long by two bytes", &[251, 250, 0]),
        refuse::<u64>("u64", "over-long by four bytes", &[252, 255, 255, 0, 0]),
        refuse::<u64>("u64", "over-long by eight bytes", &[253, 0, 0, 0, 0, 0, 0, 0, 0]),
        refuse::<u64>("u64", "16 bytes", &[&[254][..], &[0; 16]].concat()),
        refuse::<u64>("u64", "reserved first byte", &[255, 0]),
        refuse::<u64>("u64", "cut short", &[251, 251]),
        refuse::<u64>("u64", "trailing byte", &[7, 0]),
        refuse::<u16>("u16", "65,536", &[252, 0, 0, 1, 0]),
        refuse::<i64>("i64", "over-long", &[251, 1, 0]),
        refuse::<bool>("bool", "2", &[2]),
        refuse::<Option<u64>>("option of u64", "neither 0 nor 1", &[2, 0]),
        refuse::<List<u64>>("list of u64", "fewer elements than it says", &[3, 1, 2]),
        refuse::<List<u64>>(
            "list of u64",
            "2^63 − 1 elements in nine bytes",
            &[253, 255, 255, 255, 255, 255, 255, 255, 127],
        ),
        refuse::<Bytes>("bytes", "fewer bytes than it says", &[3, 1, 2]),
        refuse::<Bytes>("bytes", "2^63 − 1 bytes in nine", &[253, 255, 255, 255, 255, 255, 255, 255, 127]),
        refuse::<Bytes>("bytes", "over-long length", &[251, 1, 0, 7]),
        refuse::<Short>("short", "not UTF-8", &[2, 0xc3, 0x28]),
        refuse::<Short>("short", "a surrogate", &[3, 0xed, 0xa0, 0x80]),
        refuse::<Short>("short", "257 bytes", &long_text(257)),
        refuse::<Handle>("handle", "empty", &text("")),
        refuse::<Handle>("handle", "upper case", &text("De")),
        refuse::<Handle>("handle", "begins with a hyphen", &text("-de")),
        refuse::<Handle>("handle", "64 bytes", &long_text(64)),
        refuse::<Decimal>("decimal", "leading zero", &text("07")),
        refuse::<Decimal>("decimal", "trailing zero", &text("0.50")),
        refuse::<Decimal>("decimal", "sign", &text("-1")),
        refuse::<Decimal>("decimal", "exponent", &text("1e3")),
        refuse::<Decimal>("decimal", "28 digits", &text(&"9".repeat(28))),
        refuse::<Decimal>("decimal", "19 digits after the point", &text(&format!("0.{}1", "0".repeat(18)))),
        refuse::<servanda::field::Instant>("instant", "past the year 9999", &number(253_402_300_800_000)),
        refuse::<Day>("day", "before the year 0", &encode(&-719_529i64)),
        refuse::<Day>("day", "past the year 9999", &encode(&2_932_897i64)),
        refuse::<Duration>("duration", "120,001 months", &encode(&(120_001u64, 0u64, 0u64))),
        refuse::<Duration>("duration", "3,700,001 days", &encode(&(0u64, 3_700_001u64, 0u64))),
        refuse::<Duration>(
            "duration",
            "too many milliseconds",
            &encode(&(0u64, 0u64, 320_000_000_000_001u64)),
        ),
        refuse::<Classes>("classes", "bit 5", &[32]),
        refuse::<Roles>("roles", "bit 3", &[8]),
        refuse::<Aspect>("aspect", "variant 5", &[5]),
        refuse::<Aspect>("aspect", "over-long variant", &[251, 1, 0]),
    ]
    .into()
}

//! Sets of classes and of roles, a byte of bits each.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

macro_rules! bit_set {
    ($(#[$set_doc:meta])* $set:ident of $(#[$doc:meta])* $one:ident { $($(#[$vdoc:meta])* $variant:ident = $bit:literal, $name:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $one { $($(#[$vdoc])* $variant = $bit,)+ }

        impl $one {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The number, as encoded.
            #[must_use]
            pub fn number(self) -> u8 {
                self as u8
            }

            /// The one with this number, if there is one.
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|x| x.number() == number)
            }

            /// The word for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The one of this name, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|x| x.name() == name)
            }
        }

        impl fmt::Display for $one {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        $(#[$set_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $set(u8);

        impl $set {
            /// The set of these bits, if none has no meaning.
            #[must_use]
            pub fn from_bits(bits: u8) -> Option<Self> {
                let known = $one::ALL.iter().fold(0, |all, x| all | 1 << x.number());
                (bits & !known == 0).then_some(Self(bits))
            }

            /// The bits, as encoded.
            #[must_use]
            pub fn bits(self) -> u8 {
                self.0
            }

            /// Whether it is in the set.
            #[must_use]
            pub fn has(self, one: $one) -> bool {
                self.0 & 1 << one.number() != 0
            }

            /// The set with this one in it.
            #[must_use]
            pub fn with(self, one: $one) -> Self {
                Self(self.0 | 1 << one.number())
            }

            /// Whether nothing is in the set.
            #[must_use]
            pub fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Those in the set, in order.
            pub fn iter(self) -> impl Iterator<Item = $one> {
                $one::ALL.iter().copied().filter(move |&x| self.has(x))
            }
        }

        impl FromIterator<$one> for $set {
            fn from_iter<I: IntoIterator<Item = $one>>(iter: I) -> Self {
                iter.into_iter().fold(Self(0), Self::with)
            }
        }

        impl fmt::Display for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let names: Vec<_> = self.iter().map($one::name).collect();
                f.pad(&names.join(", "))
            }
        }

        impl fmt::Debug for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "[{self}]")
            }
        }

        impl Serialize for $set {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.collect_seq(self.iter().map($one::name))
                } else {
                    s.serialize_u8(self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $set {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if !d.is_human_readable() {
                    let bits = u8::deserialize(d)?;
                    return Self::from_bits(bits).ok_or_else(|| de::Error::custom("a bit without a meaning is set"));
                }
                let known = || $one::ALL.iter().map(|x| x.name()).collect::<Vec<_>>().join(", ");
                Vec::<String>::deserialize(d)?
                    .iter()
                    .map(|n| {
                        $one::from_name(n).ok_or_else(|| de::Error::custom(format!("unknown \"{n}\": want some of {}", known())))
                    })
                    .collect()
            }
        }
    };
}

bit_set! {
    /// A set of classes: bit n for class n.
    Classes of
    /// What an officer may sign, and what the operator's key signs.
    Class {
        /// Keys, roster, motions: accede, rotate, propose, approve.
        Govern = 0, "govern";
        /// Commitments: pledge, accept, amend, withdraw, …
        Commit = 1, "commit";
        /// Duty: invoke, respond, confirm.
        Operate = 2, "operate";
        /// Observation: report, attest, dispute, record.
        Observe = 3, "observe";
        /// The operator's own: anchors and promises.
        OperateLog = 4, "operate the log";
    }
}

bit_set! {
    /// A set of roles: bit n for role n.
    Roles of
    /// What a partner is in an agreement.
    Role {
        /// Gives guarantees.
        Guarantor = 0, "guarantor";
        /// Receives them.
        Beneficiary = 1, "beneficiary";
        /// Reports, attests, records.
        Observer = 2, "observer";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};

    #[test]
    fn a_bit_without_a_meaning_is_refused() {
        assert_eq!(decode::<Classes>(&[0b1_1111], 1).expect("all classes").bits(), 0b1_1111);
        assert!(decode::<Classes>(&[0b10_0000], 1).is_err());
        assert!(decode::<Roles>(&[0b1000], 1).is_err());
    }

    #[test]
    fn people_read_names_and_machines_read_bits() {
        let set = Classes::default().with(Class::Commit).with(Class::OperateLog);
        assert_eq!(encode(&set), [0b1_0010]);
        let json = serde_json::to_string(&set).expect("json");
        assert_eq!(json, r#"["commit","operate the log"]"#);
        assert_eq!(serde_json::from_str::<Classes>(&json).expect("json"), set);
        assert!(serde_json::from_str::<Classes>(r#"["comit"]"#).is_err());
    }
}

//! What the example's files must satisfy, beyond that they are read: sums and dues, names and references, keys.

#![allow(clippy::unwrap_used)]

use super::*;
use servanda::charter::Sealable;
use servanda::field::Role;
use servanda::statement::terms::{Bounded, Force, Quantity, Terms};
use std::collections::BTreeSet;

const NOW: &str = "2026-12-01T12:00Z";

/// Every pledge of the example as terms, in the log's order, with those before it known by made-up ids.
fn terms() -> Vec<(Pledge, Vec<Handle>, Terms)> {
    let mut ids = BTreeMap::new();
    let mut all = Vec::new();
    for pledge in Pledge::all().unwrap() {
        let act = pledge.act(NOW.parse().unwrap(), &ids).unwrap();
        let Act::Pledge(body) = act else { panic!("{} is no pledge", pledge.reference) };
        let Sealable::Open(terms) = body.terms else { panic!("{} is sealed", pledge.reference) };
        let id = labelled("test\n", pledge.reference.as_bytes());
        assert_eq!(ids.insert(pledge.reference.clone(), id), None, "{} stands there twice", pledge.reference);
        all.push((pledge, body.to.0, terms));
    }
    all
}

fn open(quantity: &Quantity) -> Option<&Bounded> {
    match quantity {
        Quantity::Open(bounded) => Some(bounded),
        Quantity::None => None,
        Quantity::Sealed(_) => panic!("the example seals nothing"),
    }
}

fn whole(bounded: &Bounded) -> u64 {
    bounded.amount.as_str().parse().expect("the example's sums are whole numbers")
}

#[test]
fn there_are_58_pledges_of_27_partners_30_of_them_sums() {
    let all = terms();
    let authors: BTreeSet<_> = all.iter().map(|(p, ..)| &p.author).collect();
    let sums = all.iter().filter(|(.., t)| open(&t.quantity).is_some()).count();
    let calls = all.iter().filter(|(.., t)| t.trigger.is_some()).count();
    assert_eq!((all.len(), authors.len(), sums, calls), (58, 27, 30, 28));
    assert!(all.iter().all(|(.., t)| open(&t.quantity).is_some() != t.trigger.is_some()));
    assert!(all.iter().all(|(.., t)| matches!(t.force, Force::Binding | Force::Political)));
}

#[test]
fn dues_add_up_to_the_sums_that_they_are_parts_of() {
    for (pledge, _, terms) in terms() {
        let name = &pledge.reference;
        let dues: Vec<_> = terms.dues.iter().filter_map(|due| open(&due.quantity)).collect();
        assert_eq!(dues.len(), terms.dues.len(), "{name} has a due without a sum");
        let Some(sum) = open(&terms.quantity) else {
            assert!(dues.is_empty(), "{name} has dues, and no sum");
            continue;
        };
        if !dues.is_empty() {
            assert_eq!(dues.iter().map(|due| whole(due)).sum::<u64>(), whole(sum), "{name}");
        }
        assert!(dues.iter().all(|due| (due.bound, &due.unit) == (sum.bound, &sum.unit)), "{name}");
        assert!(terms.dues.is_sorted_by_key(|due| due.by), "{name}");
    }
}

#[test]
fn consultations_are_due_in_24_hours_on_kinds_and_partners_that_the_charter_knows() {
    let cast = Cast::of_the_example().unwrap();
    let kinds: BTreeSet<_> = cast.kinds.incident_kinds.iter().map(|kind| kind.label.as_str()).collect();
    let day = "24h".parse().unwrap();
    for (pledge, to, terms) in terms() {
        let name = &pledge.reference;
        let needed = terms.needs.iter().map(|need| &need.declared_by);
        let mut handles: Vec<_> = to.iter().chain(needed).chain([&pledge.author]).collect();
        if let Some(trigger) = &terms.trigger {
            assert_eq!(terms.respond_within, Some(day), "{name}");
            assert!(
                trigger.kinds.iter().chain(&trigger.only_after).all(|k| kinds.contains(k.as_str())),
                "{name}"
            );
            handles.extend(&trigger.requesters);
            handles.extend(trigger.against.iter().flat_map(|against| against.iter()));
            let by_request = trigger.starts == servanda::statement::terms::Starts::OnRequest;
            assert_eq!(by_request, !trigger.requesters.is_empty(), "{name}");
        }
        for handle in handles {
            assert!(cast.member(handle.as_str()).is_ok(), "{name}: {handle} is no partner");
        }
        let own = |instrument: &servanda::statement::terms::Instrument| match instrument {
            servanda::statement::terms::Instrument::Other(name) => {
                cast.kinds.instruments.iter().any(|known| known.as_str() == name.as_str())
            }
            _ => true,
        };
        assert!(terms.instruments.iter().all(own), "{name} has an instrument that the charter has not");
    }
}

#[test]
fn each_pledge_is_bound_to_a_clause_of_one_agreement_and_falls_into_its_time() {
    for (pledge, _, terms) in terms() {
        let name = &pledge.reference;
        let [annex] = terms.annexes.as_slice() else { panic!("{name} has not one annex") };
        let document = annex.open().unwrap_or_else(|| panic!("{name} seals its annex"));
        assert!(document.size > 0 && !document.language.is_empty() && !document.label.is_empty(), "{name}");
        assert_eq!(terms.clause.as_ref().map(|clause| clause.annex), Some(0), "{name}");
        assert_eq!(terms.made_on, Some(pledge.made_on), "{name}");
        assert!(terms.source.is_some() && !terms.text.is_empty(), "{name}");
        assert!(terms.valid_until.is_none_or(|until| until > terms.valid_from), "{name}");
        assert!(terms.valid_from.day() >= pledge.made_on, "{name}");
    }
}

#[test]
fn guarantors_pledge_in_the_order_in_which_they_signed() {
    let cast = Cast::of_the_example().unwrap();
    let guarantors = cast.partners.iter().filter(|m| m.roles.has(Role::Guarantor));
    let listed: Vec<_> = guarantors.map(|m| m.handle.as_str()).collect();
    assert_eq!(listed, PLEDGES.map(|(handle, _)| handle));
    let days: Vec<_> = PLEDGES
        .map(|(h, _)| terms().iter().find(|(p, ..)| p.author.as_str() == h).map(|(p, ..)| p.made_on))
        .to_vec();
    assert!(days.is_sorted());
}

#[test]
fn keys_are_those_of_the_published_seeds() {
    let cast = Cast::of_the_example().unwrap();
    let seed = labelled(SEED, b"de/0");
    assert_eq!(seed.to_string(), "3134e33afec282354ad6bc1f170e5fcadcd7b923d9b7f751bcc4a869a120d394");
    let readme = include_str!("../../../../examples/ukraine/README.md");
    assert!(readme.contains(&seed.to_string()), "the example's README shows another seed");
    let germany = cast.member("de").unwrap();
    assert_eq!(germany.keys[0].public(), SigningKey::from_seed(&seed.0).public());
    let ours: BTreeSet<_> = all_keys(&cast);
    assert_eq!(ours.len(), 30 * 3 + 2 + 1);
    let made_up = all_keys(&cast.made_up().unwrap());
    // The operator's three are its own.
    assert_eq!(ours.intersection(&made_up).count(), 3);
}

fn all_keys(cast: &Cast) -> BTreeSet<[u8; 32]> {
    let members = cast.partners.iter().chain([&cast.operator]);
    members.flat_map(|m| &m.keys).chain([&cast.log_key]).map(|key| key.public().to_bytes()).collect()
}

#[test]
fn the_charter_says_that_nobody_signed_it() {
    let files = Cast::of_the_example().unwrap().files().unwrap();
    assert!(files[CHARTER].starts_with("# No government signed this."));
    assert!(TITLE.contains("signed by no government"));
}

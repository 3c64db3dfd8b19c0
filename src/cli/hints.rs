//! What to do where a rule refuses an act: the rule tells how things stand, and this where to look and what to type.

use servanda::rule::Rule;

/// What else could be done; nothing where the rule says it all.
pub fn of(rule: &Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::NoPartner { .. } => "`servanda show @0` lists the partners; somebody else is written name:…",
        Rule::NoKind { .. } | Rule::NoInstrument { .. } => {
            "`servanda show @0` prints the charter with its rules"
        }
        Rule::Unknown { .. } => "`servanda log` lists what is in the log, with its ids",
        Rule::NoNeed { .. } | Rule::NotDeclarer { .. } => {
            "`servanda show` of the pledge lists its needs, and who declares them"
        }
        Rule::NoObligation { .. } => {
            "write PLEDGE/due/N, as `servanda show` numbers the dues, or PLEDGE/call/ID, by the incident's first report or the \
             invoke"
        }
        Rule::OnlyRecorded { .. } => "its promisor says `servanda adopt`, and pledges it by that",
        Rule::ReferenceTaken { .. } => {
            "`servanda amend` changes that pledge; a new one takes another reference"
        }
        Rule::Accepted { .. } => "older terms come back by an amendment alone",
        Rule::NotOnRequest { .. } => {
            "it starts by itself: `servanda report` and `servanda attest` establish an incident"
        }
        Rule::NeedsIncident { .. } => {
            "name the incident with --incident, by its first report; `servanda report` opens one"
        }
        Rule::DoesNotFit { .. } => {
            "`servanda what-if` tells what an incident would call upon, and why not the rest"
        }
        Rule::Superseded { .. } => "speak of the report that supersedes it",
        Rule::Aspect => {
            "say on which aspects with --aspect; an obligation or response takes `delivered` alone"
        }
        Rule::Unit { .. } => {
            "write the unit exactly as the terms do: `servanda show` of the pledge prints it"
        }
        Rule::SealDiffers | Rule::NoSeal { .. } => {
            "the file that was kept when it was sealed opens it: `servanda reveal FILE.opening`"
        }
        Rule::NotInForce { .. } | Rule::Ended { .. } => {
            "`servanda history` of the pledge tells how it came to that"
        }
        _ => return None,
    })
}

//! Proof files: transparency-dev/formats `proof`, 3 well-formed and 8 malformed ones.

use super::{cases, string};
use servanda::tlog_proof::TlogProof;

#[test]
fn proof_files_are_well_formed_or_not_as_in_formats() {
    let Some(cases) = cases("tlog_proof/formats_tlog_proof_cases.json") else { return };
    assert_eq!(cases.len(), 11);
    for case in &cases {
        let text = string(case, "proof");
        let proof = TlogProof::parse(text.as_bytes());
        assert_eq!(proof.is_ok(), case["valid_syntax"].as_bool().unwrap(), "{}", case["name"]);
        if let Ok(proof) = proof {
            assert_eq!(proof.to_string(), text);
        }
    }
}

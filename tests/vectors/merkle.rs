//! Trees and proofs: transparency-dev/merkle (RFC 6962 reference tree, 98 inclusion and 98 consistency proofs, most of
//! them corrupted), mullvad/sigsum-rs (4 good and 4 bad inclusion proofs).

use super::{cases, hash, hashes, number, text};
use serde_json::Value;
use servanda::hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use servanda::merkle::tree::Frontier;
use servanda::merkle::verify::{verify_consistency, verify_inclusion};

#[test]
fn the_reference_tree_of_rfc_6962_grows() {
    let Some(text) = text("merkle/rfc6962_reference_tree.json") else { return };
    let file: Value = serde_json::from_str(&text).unwrap();
    let list = |field: &str| -> Vec<&str> {
        file[field].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
    };
    assert_eq!(EMPTY_ROOT.to_string(), file["empty_root"]);
    let mut level: Vec<Hash> =
        list("leaf_inputs_hex").iter().map(|data| leaf_hash(&hex::decode(data).unwrap())).collect();
    let (mut tree, mut roots) = (Frontier::default(), vec![]);
    for leaf in &level {
        tree.push(*leaf);
        roots.push(tree.root().to_string());
    }
    assert_eq!(roots, list("root_hashes_by_size_1_to_8"));
    let mut nodes = vec![];
    while !level.is_empty() {
        nodes.extend(level.iter().map(Hash::to_string));
        level = level.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    assert_eq!(nodes, list("node_hashes_hex_level_order"));
}

/// A root or hash of another length than 32 bytes cannot be passed on here: that is a refusal.
#[test]
fn inclusion_proofs_get_the_verdict_of_transparency_dev() {
    let Some(cases) = cases("merkle/transparency_dev_inclusion.json") else { return };
    let mut good = 0;
    for case in &cases {
        let holds = || {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let proof = hashes(&case["proof"])?;
            verify_inclusion(number(case, "leafIdx"), number(case, "treeSize"), &leaf, &proof, &root).ok()
        };
        assert_eq!(holds().is_none(), case["wantErr"].as_bool().unwrap(), "{case}");
        good += u32::from(holds().is_some());
    }
    assert_eq!((cases.len(), good), (98, 6));
}

/// One good proof there is between equal roots that are twelve bytes of text, "don't care 2": no digests, so refused here.
#[test]
fn consistency_proofs_get_the_verdict_of_transparency_dev() {
    const TWELVE_BYTES: &str = "additional/sizes-are-equal-one-and-proof-is-empty.json";
    let Some(cases) = cases("merkle/transparency_dev_consistency.json") else { return };
    let mut good = 0;
    for case in &cases {
        let holds = || {
            let (old, new) = (hash(&case["root1"])?, hash(&case["root2"])?);
            let proof = hashes(&case["proof"])?;
            verify_consistency(number(case, "size1"), number(case, "size2"), &old, &new, &proof).ok()
        };
        let refused = case["wantErr"].as_bool().unwrap() || case["case"] == TWELVE_BYTES;
        assert_eq!(holds().is_none(), refused, "{case}");
        good += u32::from(holds().is_some());
    }
    assert_eq!((cases.len(), good), (98, 5));
}

#[test]
fn inclusion_proofs_get_the_verdict_of_sigsum_rs() {
    for (file, want) in [("valid", true), ("invalid", false)] {
        let Some(cases) = cases(&format!("merkle/sigsum_rs_inclusion_{file}.json")) else { return };
        assert_eq!(cases.len(), 4);
        for case in &cases {
            let [leaf, root] = ["leaf_hash", "root_hash"].map(|field| hash(&case[field]).unwrap());
            let proof = hashes(&case["inclusion_path"]).unwrap();
            let verdict =
                verify_inclusion(number(case, "leaf_index"), number(case, "tree_size"), &leaf, &proof, &root);
            assert_eq!(verdict.is_ok(), want, "{case}");
        }
    }
}

//! Chain ids: the name of a stack of layers (OCI image spec, `config.md`, "Layer ChainID").

use images::Digest;

/// One chain id for each layer, lowest first: the lowest is its own diff id, each further one the digest of
/// `<chain id below> <diff id>`.
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        chain.push(match chain.last() {
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
            None => *diff_id,
        });
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_names_all_below() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        assert_eq!(chain_ids(&[a, b]), [a, Digest::of(format!("{a} {b}").as_bytes())]);
        assert_ne!(chain_ids(&[b, a])[1], chain_ids(&[a, b])[1]);
        assert!(chain_ids(&[]).is_empty());
    }
}

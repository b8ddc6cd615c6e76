//! The laws hold for what is kept in the corpus, and for random bytes.
#![forbid(unsafe_code)]

use laws::LAWS;
use std::path::Path;

/// How many random inputs each law is tried on.
const INPUTS: u64 = 1_000;

#[test]
fn every_law_holds_for_its_corpus() {
    for (name, law) in LAWS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let files: Vec<_> =
            std::fs::read_dir(&folder).expect(name).map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 5, "the corpus of {name} shrank to {}", files.len());
        for file in files {
            println!("{}", file.display());
            law(&std::fs::read(file).unwrap());
        }
    }
}

#[test]
fn every_law_holds_for_random_bytes() {
    for (name, law) in LAWS {
        for seed in 1..=INPUTS {
            println!("{name}, seed {seed}");
            law(&bytes(seed));
        }
    }
}

/// Random bytes, the more of them the higher the seed: xorshift64*.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    (0..seed % 400).map(|_| next()).collect()
}

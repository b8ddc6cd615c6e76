//! Searches for bytes that break the law of mounts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (_, law) = laws::LAWS.iter().find(|(name, _)| *name == "mounts").expect("it is a law");
    law(bytes);
});

//! Searches for bytes that break the law of id_maps.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (_, law) = laws::LAWS.iter().find(|(name, _)| *name == "id_maps").expect("it is a law");
    law(bytes);
});

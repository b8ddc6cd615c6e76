//! Diagram 4 as a module for a page; run on a host, it prints the still of the state that is named by a link.
#![forbid(unsafe_code)]

use diagrams::{CapabilitySets, Diagram};

/// What an element shows in the state that a link names.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn show(link: &str) -> String {
    diagrams::content::<CapabilitySets>(link, false)
}

/// The link of the state after an event.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn next(link: &str, event: &str) -> String {
    diagrams::next::<CapabilitySets>(link, event)
}

fn main() {
    if cfg!(not(target_arch = "wasm32")) {
        println!("{}", CapabilitySets::from_link(&std::env::args().nth(1).unwrap_or_default()).svg());
    }
}

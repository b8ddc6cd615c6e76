//! Diagram 6 as a module for a page; run on a host, it prints the still of the state that is named by a link.
#![forbid(unsafe_code)]

use diagrams::{CgroupTree, Diagram};

/// What an element shows in the state that a link names.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn show(link: &str) -> String {
    diagrams::content::<CgroupTree>(link, false)
}

/// The link of the state after an event.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn next(link: &str, event: &str) -> String {
    diagrams::next::<CgroupTree>(link, event)
}

fn main() {
    if cfg!(not(target_arch = "wasm32")) {
        println!("{}", CgroupTree::from_link(&std::env::args().nth(1).unwrap_or_default()).svg());
    }
}

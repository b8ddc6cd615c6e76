//! The reader's own containers as a module for a page, apart from the diagrams, so that only who asks for them waits for it.
#![forbid(unsafe_code)]

/// What is shown below a diagram, of what the engine answered; `chosen` is a container's id.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn show(diagram: &str, answer: &str, chosen: &str) -> String {
    diagrams::live(diagram, answer, chosen)
}

fn main() {
    if cfg!(not(target_arch = "wasm32")) {
        let words: Vec<String> = std::env::args().skip(1).collect();
        if let [diagram, answer, chosen] = &words[..] {
            println!("{}", diagrams::live(diagram, answer, chosen));
        }
    }
}

//! A page with every diagram, on a disk, opened in a browser.

use diagram_browser::Browser;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

/// The least that a page is.
const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Diagrams</title>
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<style>body { margin: 0 auto; padding: 0 8px; background: Canvas; color: CanvasText; } :root { color-scheme: light dark; }</style>
</head><body><main><h1>Diagrams</h1>
<coracle-diagram name=\"mount-plan\"></coracle-diagram>
<coracle-diagram name=\"spawn\"></coracle-diagram>
<coracle-diagram name=\"id-maps\"></coracle-diagram>
<coracle-diagram name=\"capability-sets\"></coracle-diagram>
<coracle-diagram name=\"seccomp-filter\"></coracle-diagram>
<coracle-diagram name=\"cgroup-tree\"></coracle-diagram>
</main></body></html>\n";

/// A page, and the browser that shows it.
pub struct Opened {
    pub browser: Browser,
    pub url: String,
}

/// The page with its diagrams running; `None`, said loudly, where there is no browser.
pub fn opened(test: &str, hash: &str) -> Option<Opened> {
    if let Some(missing) = diagram_browser::missing() {
        skipped::skip(test, &format!("{missing} is not installed: cargo xtask setup"));
        return None;
    }
    let url = format!("file://{}", site().join("page.html").display());
    let browser = Browser::start();
    browser.open(&format!("{url}{hash}"));
    browser.wait_for(
        "const all = [...document.querySelectorAll('coracle-diagram')];
         all.filter(one => !('link' in one.dataset)).slice(0, 1).forEach(one => one.scrollIntoView());
         return all.every(one => 'link' in one.dataset)",
    );
    Some(Opened { browser, url })
}

/// The bundle and the page, made once.
fn site() -> &'static Path {
    static SITE: OnceLock<PathBuf> = OnceLock::new();
    SITE.get_or_init(|| {
        let workspace = Path::new(WORKSPACE).canonicalize().unwrap();
        let folder = workspace.join("target/diagrams");
        diagram_bundle::bundle(&workspace, &folder).unwrap();
        std::fs::write(folder.join("page.html"), diagram_bundle::embed(PAGE, "")).unwrap();
        folder
    })
}

/// axe-core's script; `None`, said loudly, where it is not installed.
pub fn axe(test: &str) -> Option<String> {
    let script = Path::new(WORKSPACE).join("target/npm/node_modules/axe-core/axe.min.js");
    let text = std::fs::read_to_string(&script).ok();
    if text.is_none() {
        skipped::skip(test, "axe-core is not installed: cargo xtask setup");
    }
    text
}

impl Opened {
    /// No error was told to the console, and nothing was asked of anybody outside.
    pub fn nothing_amiss(&self) {
        let console = self.browser.log("browser");
        assert!(console.is_empty(), "{console:#?}");
        let requests = self.browser.requests();
        assert!(requests.len() > 3, "what was asked for was not seen: {requests:?}");
        let outside: Vec<_> =
            requests.iter().filter(|url| !url.starts_with("file://") && !url.starts_with("data:")).collect();
        assert!(outside.is_empty(), "{outside:?}");
    }

    /// Keeps a picture beside the page, for those who look at it.
    pub fn picture(&self, name: &str) {
        std::fs::write(site().join(format!("{name}.png")), self.browser.picture()).unwrap();
    }
}

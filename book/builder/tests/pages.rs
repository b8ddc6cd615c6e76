//! The built book in a real browser, opened from a disk: every page in both themes, on a narrow screen, and its search.
#![forbid(unsafe_code)]

use diagram_browser::Browser;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The narrowest screen that a page must fit.
const NARROW: u32 = 320;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

#[test]
fn every_page_fits_and_is_accessible() {
    let axe = std::fs::read_to_string(workspace().join("target/npm/node_modules/axe-core/axe.min.js"));
    let missing = diagram_browser::missing().or(axe.is_err().then_some("axe-core"));
    if let Some(missing) = missing {
        return skip(&format!("{missing} is not installed: cargo xtask setup"));
    }
    let site = book::build(&workspace()).unwrap_or_else(|defects| panic!("{defects:?}")).site;
    let browser = Browser::start();
    let mut seen = 0;
    for page in pages(&site) {
        browser.open(&format!("file://{}", page.display()));
        browser.resize(NARROW, 1);
        let width = browser.run("return document.documentElement.scrollWidth", &[]);
        assert!(width.as_u64() <= Some(u64::from(NARROW)), "{} is {width} wide", page.display());
        browser.resize(1200, 1);
        for theme in ["light", "dark"] {
            browser.run("document.documentElement.dataset.theme = arguments[0]", &[json!(theme)]);
            assert_eq!(violations(&browser, axe.as_ref().unwrap()), json!([]), "{} {theme}", page.display());
        }
        nothing_amiss(&browser);
        seen += 1;
    }
    assert!(seen > 8, "{seen} pages");
    search(&browser, &site);
}

/// The pages of the site, but for the one that holds them all, and one of the sources.
fn pages(site: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(site).unwrap().map(|entry| entry.unwrap().path());
    let is_page =
        |path: &PathBuf| path.extension().is_some_and(|html| html == "html") && !path.ends_with("print.html");
    let mut pages: Vec<PathBuf> = entries.filter(is_page).collect();
    pages.push(site.join("source/chapters/01-chroot/src/plan.rs.html"));
    pages
}

fn violations(browser: &Browser, axe: &str) -> serde_json::Value {
    browser.run(&format!("if (!window.axe) {{ {axe} }}"), &[]);
    browser.run_async(
        "const done = arguments[0];
         axe.run(document, { preload: false }).then(found => done(found.violations.map(one => one.id + ' ' + one.nodes[0].target)))",
        &[],
    )
}

/// No error was told to the console, and nothing was asked of anybody outside.
fn nothing_amiss(browser: &Browser) {
    let console = browser.log("browser");
    assert!(console.is_empty(), "{console:#?}");
    let outside: Vec<String> = browser
        .requests()
        .into_iter()
        .filter(|url| !url.starts_with("file://") && !url.starts_with("data:"))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

/// What is typed is found, by a script that was not there before, and leads to its section.
fn search(browser: &Browser, site: &Path) {
    browser.open(&format!("file://{}", site.join("preface.html").display()));
    browser.press('/');
    browser.wait_for("return Array.isArray(window.coracleSections)");
    "pivot_root".chars().for_each(|letter| browser.press(letter));
    let first = browser.run("return document.querySelector('#found a').getAttribute('href')", &[]);
    assert_eq!(first, json!("glossary.html#pivot_root"));
    browser.click("#found a");
    browser.wait_for("return location.hash === '#pivot_root'");
    nothing_amiss(browser);
}

fn skip(why: &str) {
    println!("skipped the book in a browser: {why}");
    if let Some(file) = std::env::var_os("CORACLE_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(file, "the book in a browser: {why}").unwrap();
    }
}

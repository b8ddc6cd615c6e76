//! The built book in a real browser, opened from a disk: every page in both themes, on a narrow screen, and its search.
#![forbid(unsafe_code)]

use diagram_browser::Browser;
use diagrams::{Diagram, MountPlan, Spawn};
use serde_json::json;
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
        return skipped::skip(
            "the book in a browser",
            &format!("{missing} is not installed: cargo xtask setup"),
        );
    }
    let site = book::build(&workspace()).unwrap_or_else(|defects| panic!("{defects:?}")).site;
    let browser = Browser::start();
    // A colour on its way from one theme to the other is no colour of either.
    browser.prefer("screen", &[("prefers-reduced-motion", "reduce")]);
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
    reads_on_without_the_code(&browser, &site, axe.as_ref().unwrap());
    diagram::<MountPlan>(&browser, &site.join("01-chroot.html"), axe.as_ref().unwrap());
    diagram::<Spawn>(&browser, &site.join("02-namespaces.html"), axe.as_ref().unwrap());
}

/// Enter, to WebDriver.
const ENTER: char = '\u{e007}';

/// A page is read without its code, by a button that the keyboard reaches; what is left is one line of each piece, the sessions and the diagrams.
fn reads_on_without_the_code(browser: &Browser, site: &Path, axe: &str) {
    let open = |page: &str| browser.open(&format!("file://{}", site.join(page).display()));
    let is = |what: &str| browser.run(&format!("return {what}"), &[]) == json!(true);
    let hidden = std::fs::read_to_string(site.join("02-namespaces.html")).unwrap();
    let button = hidden.lines().find(|line| line.contains("class=\"fold\"")).unwrap();
    assert!(
        button.contains(" hidden>"),
        "without a script there would be a button that does nothing: {button}"
    );
    let shown = "[...document.querySelectorAll('main figure:not(.diagram, .transcript) pre')].some(code => code.checkVisibility())";
    let session = "document.querySelector('main figure.transcript pre').checkVisibility()";
    open("preface.html");
    assert!(!is("document.querySelector('button.fold').checkVisibility()"), "there is no code to fold");
    open("02-namespaces.html");
    assert!(is(shown));
    // In the middle of the page, so that what is above grows shorter.
    let heading = "document.getElementById('the-childs-side').getBoundingClientRect().top";
    browser.run("document.getElementById('the-childs-side').scrollIntoView({ behavior: 'instant' })", &[]);
    let before = browser.run(&format!("return {heading}"), &[]).as_f64().unwrap();
    browser.run("document.querySelector('button.fold').focus({ preventScroll: true })", &[]);
    browser.press(ENTER);
    assert!(!is(shown) && is(session), "the code is folded, and sessions stay");
    let after = browser.run(&format!("return {heading}"), &[]).as_f64().unwrap();
    assert!((before - after).abs() < 2.0, "what was read has moved from {before} to {after}");
    open("03-cgroups.html");
    assert!(is(shown), "a page remembers for itself");
    open("02-namespaces.html");
    assert!(!is(shown), "and it remembers");
    assert!(is("document.querySelector('coracle-diagram .drawing').checkVisibility()"));
    for (width, theme) in [(1200, "light"), (NARROW, "dark")] {
        browser.resize(width, 1);
        browser.run("document.documentElement.dataset.theme = arguments[0]", &[json!(theme)]);
        let wide = browser.run("return document.documentElement.scrollWidth", &[]);
        assert!(wide.as_u64() <= Some(u64::from(width)), "{wide}");
        let lines = "[...document.querySelectorAll('main figure:not(.diagram, .transcript)')].every(one => one.offsetHeight < 40)";
        assert!(is(lines), "one line each, at {width}");
        assert_eq!(violations(browser, axe), json!([]), "{theme}");
    }
    browser.resize(1200, 1);
    browser.click("button.fold");
    assert!(is(shown), "shown again");
    nothing_amiss(browser);
}

/// A chapter's diagram runs in its page, in the page's own colours, and is one with what Rust draws.
fn diagram<D: Diagram>(browser: &Browser, page: &Path, axe: &str) {
    let element = format!("coracle-diagram[name={}]", D::NAME);
    browser.open(&format!("file://{}", page.display()));
    // It is loaded when it comes near the view.
    browser.run(&format!("document.querySelector('{element}').scrollIntoView()"), &[]);
    browser.wait_for(&format!("return 'link' in document.querySelector('{element}').dataset"));
    let (event, _) = D::EVENTS[1];
    browser.click(&format!("{element} label:has([data-event={event}])"));
    let is_same = format!(
        "const drawn = document.createElement('div');
         drawn.innerHTML = arguments[0];
         return document.querySelector('{element} .drawing').innerHTML === drawn.innerHTML"
    );
    let drawn = D::from_link(event).svg();
    assert_eq!(browser.run(&is_same, &[json!(drawn)]), json!(true), "{} {event}", D::NAME);
    // From a disk there is no engine to ask.
    assert_eq!(browser.run("return document.querySelector('.live')", &[]), json!(null));
    for theme in ["light", "dark"] {
        browser.run("document.documentElement.dataset.theme = arguments[0]", &[json!(theme)]);
        assert_eq!(violations(browser, axe), json!([]), "{} {theme}", D::NAME);
    }
    nothing_amiss(browser);
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

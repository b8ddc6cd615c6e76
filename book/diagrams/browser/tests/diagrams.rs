//! The diagrams in a real browser, opened from a disk: what is drawn there is what Rust draws.
#![forbid(unsafe_code)]

mod page;

use diagram_browser::Browser;
use diagrams::{CapabilitySets, CgroupTree, Diagram, IdMaps, MountPlan, SeccompFilter, Spawn};
use page::{Opened, opened};
use serde_json::json;

/// WebDriver's names of keys.
const TAB: char = '\u{e004}';
const DOWN: char = '\u{e015}';
const SPACE: char = ' ';

/// Three states of each diagram, each from the beginning: the controls that lead there, and its link.
const MOUNT_PLANS: &[(&[&str], &str)] = &[
    (&["layers", "read-only", "on", "on"], "layers.read-only.after-1"),
    (&["rslave", "on-host", "both"], "rslave.on-host.both"),
    (&["rootless", "rshared", "inside", "one"], "rootless.rshared.inside.one"),
];
const SPAWNS: &[(&[&str], &str)] = &[
    (&["net", "uts"], "net.uts"),
    (&["user", "it-runs"], "user.it-runs"),
    (&["map-range", "no-map"], "map-range.no-map"),
];
const ID_MAPS: &[(&[&str], &str)] = &[
    (&["range", "system", "owner-0", "sees-root"], "range.system.owner-0.sees-root"),
    (&["own-and-range", "owner-100033", "as-33"], "own-and-range.owner-100033.as-33"),
    (&["folder", "sees-nobody"], "folder.sees-nobody"),
];
const CAPABILITY_SETS: &[(&[&str], &str)] = &[
    (&["no-new-privs", "has-nothing"], "no-new-privs.has-nothing"),
    (&["root", "permitted", "names-nothing", "is-effective"], "root.permitted.names-nothing.is-effective"),
    (
        &["ambient", "bounding", "names-nothing", "setuid"],
        "bounding.inheritable.permitted.ambient.names-nothing.setuid",
    ),
];
const SECCOMP_FILTERS: &[(&[&str], &str)] = &[
    (&["eperm", "step", "step", "step", "back"], "eperm.step.step"),
    (&["docker", "clone", "namespace"], "docker.clone.namespace"),
    (&["i386", "killed", "end"], "i386.killed.step.step.step.step"),
];
const CGROUP_TREES: &[(&[&str], &str)] = &[
    (&["jobs", "quota-50", "most-web"], "jobs.quota-50.most-web"),
    (&["v1", "shares-4096"], "v1.shares-4096"),
    (&["two", "holds-40", "memory-64", "two-asks"], "two.memory-64.holds-40.two-asks"),
];

#[test]
fn driven_by_keyboard() {
    let Some(page) = opened("driven_by_keyboard", "") else { return };
    keyboard::<MountPlan>(&page.browser, MOUNT_PLANS);
    keyboard::<Spawn>(&page.browser, SPAWNS);
    keyboard::<IdMaps>(&page.browser, ID_MAPS);
    keyboard::<CapabilitySets>(&page.browser, CAPABILITY_SETS);
    keyboard::<SeccompFilter>(&page.browser, SECCOMP_FILTERS);
    keyboard::<CgroupTree>(&page.browser, CGROUP_TREES);
    page.nothing_amiss();
}

fn keyboard<D: Diagram>(browser: &Browser, states: &[(&[&str], &str)]) {
    for (events, link) in states {
        reach::<D>(browser, "reset");
        browser.press(SPACE);
        for event in *events {
            reach::<D>(browser, event);
            let chosen =
                "return document.activeElement.checked === true && document.activeElement.type === 'radio'";
            if browser.run(chosen, &[]) != json!(true) {
                browser.press(SPACE);
            }
        }
        shows::<D>(browser, link);
    }
}

/// Goes to a control by Tab, and within a group of which one is chosen by the arrows, which choose.
fn reach<D: Diagram>(browser: &Browser, event: &str) {
    let focused = "const one = document.activeElement, wanted = arguments[1];
        const element = one.closest('coracle-diagram');
        if (!element || element.getAttribute('name') !== arguments[0] || !one.matches('input, button')) { return 'elsewhere'; }
        const outline = getComputedStyle(one);
        if (outline.outlineStyle === 'none' || parseFloat(outline.outlineWidth) < 2) { return 'invisible'; }
        if (one.dataset.event === wanted) { return 'there'; }
        const other = element.querySelector(`[data-event='${wanted}']`);
        return one.type === 'radio' && other && other.name === one.name ? 'group' : 'elsewhere';";
    // Once around the page, whose every control is one step at most.
    let steps = browser.run("return document.querySelectorAll('input, button, a').length", &[]);
    for _ in 0..=steps.as_u64().unwrap() {
        match browser.run(focused, &[json!(D::NAME), json!(event)]).as_str() {
            Some("there") => return,
            Some("group") => browser.press(DOWN),
            Some("elsewhere") => browser.press(TAB),
            other => panic!("the focus on {event} of {} is {other:?}", D::NAME),
        }
    }
    panic!("{event} of {} cannot be reached by the keyboard", D::NAME);
}

#[test]
fn driven_by_pointer() {
    let Some(page) = opened("driven_by_pointer", "") else { return };
    pointer::<MountPlan>(&page.browser, MOUNT_PLANS);
    pointer::<Spawn>(&page.browser, SPAWNS);
    pointer::<IdMaps>(&page.browser, ID_MAPS);
    pointer::<CapabilitySets>(&page.browser, CAPABILITY_SETS);
    pointer::<SeccompFilter>(&page.browser, SECCOMP_FILTERS);
    pointer::<CgroupTree>(&page.browser, CGROUP_TREES);
    // The drawing itself can be clicked as well.
    page.browser.click("coracle-diagram[name=spawn] button[data-event=reset]");
    page.browser.click("coracle-diagram[name=spawn] g[data-event=net]");
    shows::<Spawn>(&page.browser, "net");
    page.nothing_amiss();
}

fn pointer<D: Diagram>(browser: &Browser, states: &[(&[&str], &str)]) {
    let element = format!("coracle-diagram[name={}]", D::NAME);
    for (events, link) in states {
        browser.click(&format!("{element} button[data-event=reset]"));
        for event in *events {
            browser.click(&format!(
                "{element} :is(label:has([data-event={event}]), button[data-event={event}])"
            ));
        }
        shows::<D>(browser, link);
    }
}

/// The page shows what Rust draws and says for this state.
fn shows<D: Diagram>(browser: &Browser, link: &str) {
    let state = D::from_link(link);
    let shown = "const element = document.querySelector(`coracle-diagram[name=${arguments[0]}]`);
        const drawn = document.createElement('div');
        drawn.innerHTML = arguments[1];
        const words = [...element.querySelectorAll('.words p')].map(one => one.textContent);
        return [element.dataset.link, element.querySelector('.drawing').innerHTML === drawn.innerHTML, words];";
    let seen = browser.run(shown, &[json!(D::NAME), json!(state.svg())]);
    assert_eq!(seen, json!([link, true, state.text()]), "{} {link}", D::NAME);
}

#[test]
fn a_link_opens_a_state() {
    let Some(page) = opened("a_link_opens_a_state", "#mount-plan=layers.rslave.inside") else { return };
    shows::<MountPlan>(&page.browser, "layers.rslave.inside");
    shows::<Spawn>(&page.browser, "");
    page.browser.click("coracle-diagram[name=mount-plan] label:has([data-event=one])");
    page.browser.click("coracle-diagram[name=mount-plan] .links a");
    let hash = page.browser.run("return location.hash", &[]);
    assert_eq!(hash, json!("#mount-plan=layers.rslave.inside.one"));
    page.browser.run("location.hash = 'spawn=root.it-runs'", &[]);
    page.browser.wait_for("return document.querySelector('[name=spawn]').dataset.link === 'root.it-runs'");
    shows::<Spawn>(&page.browser, "root.it-runs");
    page.nothing_amiss();
}

#[test]
fn everybody_can_read_it() {
    let Some(axe) = page::axe("everybody_can_read_it") else { return };
    let Some(page) = opened("everybody_can_read_it", "#mount-plan=rootless.read-only.rshared.inside.both")
    else {
        return;
    };
    let browser = &page.browser;
    browser.run("location.hash = 'spawn=map-range.no-map'", &[]);
    browser.run("location.hash = 'id-maps=range.folder.owner-0.sees-nobody'", &[]);
    browser.run("location.hash = 'capability-sets=root.bounding.p.no-new-privs.is-effective'", &[]);
    for scheme in ["light", "dark"] {
        browser.prefer("screen", &[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]);
        browser.resize(1000, 1);
        accessible(browser, &axe, scheme);
        page.picture(&format!("{scheme}-1000"));
        // A narrow screen; a window of 1280 at 200 %; and letters of twice the size.
        for (width, scale, letters) in [(320, 2, "100%"), (640, 2, "100%"), (640, 1, "200%")] {
            browser.resize(width, scale);
            browser.run("document.documentElement.style.fontSize = arguments[0]", &[json!(letters)]);
            fits(browser, width);
            page.picture(&format!("{scheme}-{width}-{letters}"));
        }
        browser.run("document.documentElement.style.fontSize = ''", &[]);
    }
    page.nothing_amiss();
}

fn accessible(browser: &Browser, axe: &str, scheme: &str) {
    browser.run(axe, &[]);
    let check = "const done = arguments[arguments.length - 1];
        axe.run({ preload: false }).then(result => done(result.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 200))])));";
    assert_eq!(browser.run_async(check, &[]), json!([]), "{scheme}");
}

/// Nothing is wider than the page, and no letter of a drawing smaller than seven and a half pixels.
fn fits(browser: &Browser, width: u32) {
    let measured = "const smallest = [...document.querySelectorAll('svg')].map(svg =>
            9.5 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width);
        const wide = [...document.querySelectorAll('coracle-diagram *')].filter(one =>
            one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 100));
        return [document.documentElement.scrollWidth <= innerWidth, wide, Math.min(...smallest) > 7.5];";
    assert_eq!(browser.run(measured, &[]), json!([true, [], true]), "at {width}");
}

#[test]
fn motion_and_print() {
    let Some(page) = opened("motion_and_print", "#mount-plan=rslave.on-host.both") else { return };
    let browser = &page.browser;
    let motion = "return getComputedStyle(document.querySelector('rect.new')).animationName";
    for (preference, expected) in [("no-preference", "coracle-appear"), ("reduce", "none")] {
        browser.prefer("screen", &[("prefers-reduced-motion", preference)]);
        assert_eq!(browser.run(motion, &[]), json!(expected));
    }
    browser.prefer("print", &[]);
    let printed = "const shows = one => getComputedStyle(document.querySelector(one)).display !== 'none';
        return ['.controls', '.drawing svg', '.words'].map(shows)";
    assert_eq!(browser.run(printed, &[]), json!([false, true, true]));
    page.nothing_amiss();
}

#[test]
fn shown_without_scripts() {
    let Some(page) = opened("shown_without_scripts", "") else { return };
    let Opened { browser, url, .. } = &page;
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(url);
    let document = browser.devtools("DOM.getDocument", &json!({}));
    for name in [
        MountPlan::NAME,
        Spawn::NAME,
        IdMaps::NAME,
        CapabilitySets::NAME,
        SeccompFilter::NAME,
        CgroupTree::NAME,
    ] {
        let query = |selector: String| {
            let query = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
            browser.devtools("DOM.querySelector", &query)["nodeId"].clone()
        };
        let still = query(format!("coracle-diagram[name={name}] .drawing svg"));
        let model = browser.devtools("DOM.getBoxModel", &json!({ "nodeId": still }));
        assert!(model["model"]["height"].as_u64().unwrap() > 200, "{name}: {model}");
        assert_eq!(query(format!("coracle-diagram[name={name}] .controls")), json!(0), "{name}");
    }
    page.picture("without-scripts");
    // And when the browser ends, nothing of it is left.
    let folder = browser.folder().to_owned();
    assert!(std::fs::read_dir(&folder).unwrap().next().is_some(), "it writes elsewhere than in {folder:?}");
    drop(page);
    assert!(!folder.exists(), "{folder:?} is left");
}

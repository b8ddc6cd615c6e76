//! A real browser, driven from outside as WebDriver says (<https://www.w3.org/TR/webdriver2/>): chromium and chromedriver.
//!
//! Whatever fails here is a test that fails: the functions panic with the browser's own words.
#![forbid(unsafe_code)]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a page may take for anything, on a machine that has other work.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one window; it ends with its owner.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    /// What the browser writes, so that nothing of it stays.
    folder: PathBuf,
}

/// What of it is missing on this machine.
pub fn missing() -> Option<&'static str> {
    let is_there = |name: &str| Path::new("/usr/bin").join(name).exists();
    ["chromium", "chromedriver"].into_iter().find(|name| !is_there(name))
}

fn own_folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(format!("browser-{process}-{count}"));
    std::fs::create_dir(&folder).unwrap();
    folder
}

impl Browser {
    /// Starts one, without a window that anybody sees.
    pub fn start() -> Browser {
        let mut command = Command::new("chromedriver");
        // Chromium's own wrapper complains on standard error.
        let folder = own_folder();
        command.arg("--port=0").env("TMPDIR", &folder).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        let port = port.expect("chromedriver says its port");
        // What it says later goes nowhere, but must be read: a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let mut browser = Browser { driver, session: String::new(), agent: config.build().into(), folder };
        let arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"];
        let wanted = json!({
            "timeouts": { "script": PATIENCE.as_millis() as u64 },
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let root = format!("http://127.0.0.1:{port}/session");
        let made = browser.call(&root, &json!({ "capabilities": { "alwaysMatch": wanted } }));
        browser.session = format!("{root}/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    /// The folder of what it writes, which goes with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn call(&self, url: &str, body: &Value) -> Value {
        let mut answer =
            self.agent.post(url).content_type("application/json").send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.status().is_success(), "{url} {body}: {text}");
        value["value"].clone()
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        self.call(&format!("{}/{name}", self.session), body)
    }

    /// Opens a page.
    pub fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url }));
    }

    /// Runs a script in the page, and returns what it returns.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a script that calls the last of its arguments when it is done.
    pub fn run_async(&self, script: &str, arguments: &[Value]) -> Value {
        self.command("execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// Waits until a script returns true.
    pub fn wait_for(&self, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(script, &[]) != json!(true) {
            assert!(Instant::now() < deadline, "in vain: {script}");
            std::thread::sleep(Duration::from_millis(20)); // poll
        }
    }

    /// Presses and releases a key: a letter, or one of WebDriver's names for those without a letter.
    pub fn press(&self, key: char) {
        let key = key.to_string();
        let actions = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.command("actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
    }

    /// Clicks into the middle of what a selector finds, as a pointer does.
    pub fn click(&self, selector: &str) {
        let found = self.command("element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        self.command(&format!("element/{}/click", id.unwrap()), &json!({}));
    }

    /// A command of the browser's own developer tools.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What was said since it was last asked: `browser` for the console, `performance` for everything.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        self.command("se/log", &json!({ "type": kind })).as_array().cloned().unwrap_or_default()
    }

    /// The addresses that were asked for since it was last asked.
    pub fn requests(&self) -> Vec<String> {
        let messages = self.log("performance").into_iter().filter_map(|entry| {
            serde_json::from_str::<Value>(entry["message"].as_str()?)
                .ok()
                .map(|value| value["message"].clone())
        });
        let sent = messages.filter(|message| message["method"] == "Network.requestWillBeSent");
        sent.filter_map(|message| message["params"]["request"]["url"].as_str().map(str::to_owned)).collect()
    }

    /// The whole page as a picture, PNG.
    pub fn picture(&self) -> Vec<u8> {
        self.taken(&json!({ "captureBeyondViewport": true }))
    }

    /// A part of the page as a picture: an object of `x`, `y`, `width`, `height` and `scale`.
    pub fn picture_of(&self, part: &Value) -> Vec<u8> {
        self.taken(&json!({ "captureBeyondViewport": true, "clip": part }))
    }

    fn taken(&self, how: &Value) -> Vec<u8> {
        let taken = self.devtools("Page.captureScreenshot", how);
        BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }

    /// The width of the page in CSS pixels, and how many of the screen's are in one.
    pub fn resize(&self, width: u32, scale: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": scale, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What the reader prefers, as media features; and the medium, `screen` or `print`.
    pub fn prefer(&self, medium: &str, features: &[(&str, &str)]) {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", &json!({ "media": medium, "features": features }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with the session; without an answer there is only its end.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

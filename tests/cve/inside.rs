//! What attackers do inside of a container.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One attack, with its words.
pub fn attack(what: &str, words: &[&str]) -> ExitCode {
    match (what, words) {
        ("nothing", []) => {}
        ("wait", []) => wait(),
        ("read", [path]) => {
            println!("{}", fs::read_to_string(path).unwrap_or_else(|error| error.to_string()))
        }
        ("watch", [marker]) => watch(marker),
        ("overwrite", []) => overwrite(),
        other => panic!("{other:?}: no such attack"),
    }
    ExitCode::SUCCESS
}

fn wait() {
    tell("/ready", "");
    loop {
        std::thread::park();
    }
}

/// In one step, for who waits for the file.
fn tell(path: &str, text: &str) {
    fs::write("/told", text).unwrap();
    fs::rename("/told", path).unwrap();
}

/// The processes of this container but the first, which is this one.
fn newcomers() -> Vec<String> {
    let names = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap_or_default());
    names.filter(|name| name != "1" && name.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

/// Looks at every newcomer for something of the host's: a folder that it has open, its root, its working directory.
fn watch(marker: &str) {
    let mut met = 0;
    let mut last = String::new();
    tell("/ready", "");
    loop {
        for newcomer in newcomers() {
            let process = format!("/proc/{newcomer}");
            let mut places = vec![format!("{process}/root"), format!("{process}/cwd")];
            let open = fs::read_dir(format!("{process}/fd")).into_iter().flatten().flatten();
            places.extend(open.map(|entry| entry.path().display().to_string()));
            for place in places {
                // From a folder that is open, up to its root, and down again.
                let up = if place.ends_with("root") { "" } else { "/../../../../../.." };
                if fs::exists(format!("{place}{up}{marker}")).unwrap_or_default() {
                    tell("/leak", &place);
                }
            }
            if newcomer != last {
                last = newcomer;
                met += 1;
                tell("/met", &met.to_string());
            }
        }
    }
}

/// Takes hold of the executable of a newcomer that is not this one, and writes it when nobody runs it any more.
fn overwrite() {
    let own = fs::metadata("/proc/self/exe").unwrap().ino();
    tell("/ready", "");
    let held = loop {
        let open =
            newcomers().into_iter().filter_map(|process| File::open(format!("/proc/{process}/exe")).ok());
        let other = open.into_iter().find(|file| file.metadata().is_ok_and(|metadata| metadata.ino() != own));
        if let Some(other) = other {
            break other;
        }
    };
    let path = format!("/proc/self/fd/{}", held.as_raw_fd());
    let deadline = Instant::now() + Duration::from_secs(10);
    let result = loop {
        match OpenOptions::new().append(true).open(&path) {
            // ETXTBSY: somebody runs it still.
            Err(error) if error.raw_os_error() == Some(26) && Instant::now() < deadline => {}
            opened => break opened.and_then(|mut file| file.write_all(b"harm")),
        }
    };
    tell("/result", &result.map_or_else(|error| error.to_string(), |()| "written".into()));
}

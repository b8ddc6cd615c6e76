//! Containers made by coracle-oci for the attacks on them, with this executable as the only program in them.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A bundle, and the container that is made of it.
pub struct Container {
    pub folder: PathBuf,
    pub image: PathBuf,
    pub executable: PathBuf,
    pub spec: Value,
    id: String,
}

impl Container {
    pub fn new(folder: &Path) -> Container {
        let image = folder.join("rootfs");
        for name in ["dev", "etc", "proc", "sys", "tmp"] {
            fs::create_dir_all(image.join(name)).unwrap();
        }
        copy("/proc/self/exe", &image.join("attacker"));
        let executable = folder.join("coracle-oci");
        copy(env!("CARGO_BIN_EXE_coracle-oci"), &executable);
        fs::write(folder.join("secret"), "the host's").unwrap();
        let mut spec = serde_json::to_value(runtime::default_spec(None).unwrap()).unwrap();
        spec["root"]["readonly"] = false.into();
        spec["process"]["terminal"] = false.into();
        let capabilities: Vec<&str> = privileges::default_capabilities().names().collect();
        for set in ["bounding", "effective", "permitted"] {
            spec["process"]["capabilities"][set] = json!(capabilities);
        }
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        Container { folder: folder.into(), image, executable, spec, id }
    }

    /// What its first process does: an attack, and its words.
    pub fn does(&mut self, words: &[&str]) {
        self.spec["process"]["args"] = json!([&["/attacker", "--attack"], words].concat());
    }

    /// coracle-oci; `ID` in the words stands for the container. Its exit code, and all that it said.
    pub fn oci(&self, words: &[&str]) -> (i32, String) {
        fs::write(self.folder.join("config.json"), self.spec.to_string()).unwrap();
        let detached = words[0] == "create" || words.contains(&"-d");
        let words = words.iter().map(|word| if *word == "ID" { self.id.as_str() } else { word });
        let said = fs::File::create(self.folder.join("said")).unwrap();
        let mut command = Command::new(&self.executable);
        command.arg("--root").arg(self.folder.join("state")).args(words).current_dir(&self.folder);
        // A container that goes on would keep a pipe open.
        command.stdout(if detached { Stdio::null() } else { said.try_clone().unwrap().into() });
        let status = command.stdin(Stdio::null()).stderr(said).status().unwrap();
        (status.code().unwrap_or(-1), fs::read_to_string(self.folder.join("said")).unwrap())
    }

    pub fn ok(&self, words: &[&str]) -> String {
        let (code, said) = self.oci(words);
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }

    /// Its first process, as the host numbers it.
    pub fn pid(&self) -> String {
        let state: Value = serde_json::from_str(&self.ok(&["state", "ID"])).unwrap();
        state["pid"].to_string()
    }

    /// Adds a process to it as the exhibit does; what it said.
    pub fn add_naively(&self, exhibit: &Path, folder: &str, words: &[&str]) -> String {
        let mut command = Command::new(exhibit);
        command.args(["--exhibit", "exec", &self.pid(), folder]).args(words);
        let Output { stdout, stderr, .. } = command.output().unwrap();
        String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
    }

    /// Waits until a file is there inside; what it says.
    pub fn wait_for(&self, name: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match fs::read_to_string(self.image.join(name)) {
                Ok(text) => return text,
                Err(error) => assert!(Instant::now() < deadline, "{name}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(2)); // poll
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.oci(&["delete", "--force", "ID"]);
    }
}

/// By another process: while we had the copy open for writing, a child of ours could, too, and it would be busy (ETXTBSY).
pub fn copy(from: &str, to: &Path) {
    let from = Path::new(from).canonicalize().unwrap();
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
}

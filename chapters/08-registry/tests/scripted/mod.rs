//! A registry that does what a test says: images in memory, and a say over every reply.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use images::{Descriptor, Digest, ImageConfig, Manifest, Reference, Store, media};
use layers::{Progress, Snapshots};
use registry::{Credentials, Pull, Pulled, pull};

/// A request, as far as tests look at it.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    /// From the Range header.
    pub from: usize,
}

/// A reply; `cut` closes the connection after so many bytes of the body, `stall` keeps it open without a further byte.
#[derive(Debug, Clone, Default)]
pub struct Says {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub cut: Option<usize>,
    pub stall: bool,
}

pub fn says(status: u16, body: impl Into<Vec<u8>>) -> Says {
    Says { status, body: body.into(), ..Says::default() }
}

impl Says {
    pub fn with(mut self, name: &str, value: &str) -> Says {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Script = dyn Fn(&Asked) -> Says + Send + Sync;

/// The server; what it was asked.
pub struct Registry {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Registry {
    /// Answers every connection by the script, in a thread each, as long as the test's process lives.
    pub fn start(script: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &*script, &log));
            }
        });
        Registry { address, asked }
    }

    pub fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.path.clone()).collect()
    }
}

fn serve(stream: TcpStream, script: &Script, log: &Mutex<Vec<Asked>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    // A TLS handshake: we are a plain registry.
    if *reader.fill_buf().ok()?.first()? == 0x16 {
        return None;
    }
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_string()),
            }
        }
        let header = |name: &str| {
            let line =
                lines.iter().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
            Some(line[name.len() + 1..].trim().to_string())
        };
        let range = header("range")
            .and_then(|range| range.strip_prefix("bytes=")?.trim_end_matches('-').parse().ok());
        let path = lines[0].split(' ').nth(1)?.to_string();
        let asked = Asked { path, authorization: header("authorization"), from: range.unwrap_or(0) };
        log.lock().unwrap().push(asked.clone());
        answer(&stream, script(&asked))?;
    }
}

fn answer(mut stream: &TcpStream, says: Says) -> Option<()> {
    let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", says.status, says.body.len());
    for (name, value) in &says.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    stream.write_all(&says.body[..says.cut.unwrap_or(says.body.len())]).ok()?;
    if says.stall {
        // Until the other side goes.
        let _ = stream.peek(&mut [0]);
        let _ = std::io::Read::read(&mut stream, &mut [0]);
    }
    says.cut.is_none().then_some(())
}

/// An image in memory: every document and blob by its path.
pub struct Content {
    pub paths: BTreeMap<String, (String, Vec<u8>)>,
    pub layers: Vec<Descriptor>,
    pub manifest: Descriptor,
}

/// `app:1`, of these layers (plain tars; sent gzipped).
pub fn content(tars: &[Vec<u8>]) -> Content {
    let (mut paths, mut layers) = (BTreeMap::new(), Vec::new());
    let mut config =
        ImageConfig { os: "linux".into(), architecture: "amd64".into(), ..ImageConfig::default() };
    let mut blob = |media_type: &str, bytes: Vec<u8>| {
        let descriptor = Descriptor::of(media_type, &bytes);
        paths.insert(
            format!("/v2/app/blobs/{}", descriptor.digest),
            ("application/octet-stream".to_string(), bytes),
        );
        descriptor
    };
    for tar in tars {
        config.rootfs.diff_ids.push(Digest::of(tar));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(tar).unwrap();
        layers.push(blob(media::DOCKER_LAYER_GZIP, encoder.finish().unwrap()));
    }
    let config = blob(media::DOCKER_CONFIG, serde_json::to_vec(&config).unwrap());
    let mut manifest = Manifest::new(config, layers.clone());
    manifest.media_type = Some(media::DOCKER_MANIFEST.into());
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let manifest = Descriptor::of(media::DOCKER_MANIFEST, &bytes);
    for version in ["1".to_string(), manifest.digest.to_string()] {
        paths.insert(
            format!("/v2/app/manifests/{version}"),
            (media::DOCKER_MANIFEST.to_string(), bytes.clone()),
        );
    }
    Content { paths, layers, manifest }
}

impl Content {
    /// What a registry says to this.
    pub fn reply(&self, asked: &Asked) -> Says {
        if asked.path == "/v2/" {
            return says(200, "{}");
        }
        match self.paths.get(&asked.path) {
            Some((kind, bytes)) if asked.from > 0 => {
                says(206, &bytes[asked.from..]).with("Content-Type", kind)
            }
            Some((kind, bytes)) => says(200, bytes.clone()).with("Content-Type", kind),
            None => says(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
        }
    }
}

/// A tar with one file.
pub fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).unwrap();
    builder.into_inner().unwrap()
}

/// A data root of one's own, and a pull into it.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub snapshots: Snapshots,
    pub told: Mutex<Vec<String>>,
    pub cancelled: std::sync::atomic::AtomicBool,
}

impl Place {
    pub fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("images")).unwrap();
        let snapshots = Snapshots::open(dir.path().join("snapshots"), layers::Ownership::True).unwrap();
        Place { dir, store, snapshots, told: Mutex::default(), cancelled: false.into() }
    }

    pub fn pull(&self, name: &str) -> registry::Result<Pulled> {
        self.pull_as(name, None)
    }

    pub fn pull_as(&self, name: &str, credentials: Option<&Credentials>) -> registry::Result<Pulled> {
        let reference = Reference::parse(name).unwrap();
        let request = Pull {
            store: &self.store,
            snapshots: &self.snapshots,
            reference: &reference,
            platform: None,
            credentials,
            insecure: &[],
            cancelled: &|| self.cancelled.load(std::sync::atomic::Ordering::Relaxed),
        };
        pull(&request, &|news: Progress| {
            if news.amount().is_none() {
                self.told.lock().unwrap().push([news.id().unwrap_or_default(), &news.status()].join(" "));
            }
            true
        })
    }

    /// Names left in the folders of blobs, of ingests and of snapshots.
    pub fn left(&self) -> [usize; 3] {
        ["images/blobs/sha256", "images/ingest", "snapshots"]
            .map(|folder| std::fs::read_dir(self.dir.path().join(folder)).unwrap().count())
    }
}

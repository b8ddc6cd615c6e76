//! A real registry (Debian's docker-registry) on loopback, inside a test's network namespace, filled by skopeo.

use super::{Namespace, busybox_tar, run, wait_until};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// The registry's address, the same in each namespace.
pub const ADDRESS: &str = "127.0.0.1:5000";

/// A registry that runs until it is dropped.
pub struct Registry<'a> {
    namespace: &'a Namespace,
    folder: PathBuf,
    server: Child,
}

impl Registry<'_> {
    /// Starts an empty registry that keeps its files in `folder`.
    #[track_caller]
    pub fn start<'a>(namespace: &'a Namespace, folder: &Path) -> Registry<'a> {
        std::fs::create_dir_all(folder).expect("a folder for the registry");
        let configuration = folder.join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp: {{addr: '{ADDRESS}'}}\n",
            folder.display()
        );
        std::fs::write(&configuration, text).expect("the registry's configuration");
        let server = namespace
            .command("docker-registry")
            .arg("serve")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry");
        let registry = Registry { namespace, folder: folder.to_path_buf(), server };
        wait_until("the registry answers", || {
            let listening = run(registry.namespace.command("ss").args(["--listening", "--tcp", "--numeric"]));
            listening.stdout.contains(ADDRESS)
        });
        registry
    }

    /// Puts busybox, a single gzip layer, under this name and tag; returns the reference that pulls it.
    #[track_caller]
    pub fn put_busybox(&self, name: &str) -> String {
        let reference = format!("{ADDRESS}/{name}");
        let mut skopeo = self.namespace.command("skopeo");
        skopeo.args(["copy", "--quiet", "--dest-tls-verify=false", "--insecure-policy"]);
        skopeo.arg(format!("tarball:{}", busybox_tar().display())).arg(format!("docker://{reference}"));
        run(&mut skopeo).expect(0);
        reference
    }

    /// Puts a manifest of an OCI artifact, a Helm chart's, whose blobs an image put there before.
    #[track_caller]
    pub fn put_artifact(&self, name: &str) -> String {
        let (repository, tag) = name.split_once(':').expect("a name and a tag");
        let blob = |path: &PathBuf| {
            let digest = path
                .parent()
                .and_then(Path::file_name)
                .expect("blobs/sha256/ab/<digest>/data")
                .to_string_lossy();
            let size = std::fs::metadata(path).expect("the blob").len();
            format!(r#""digest":"sha256:{digest}","size":{size}"#)
        };
        let layer = blob(&self.blobs()[0]);
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json",{layer}}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip",{layer}}}]}}"#
        );
        let mut curl = self.namespace.command("curl");
        curl.args(["--silent", "--show-error", "--fail", "--request", "PUT", "--data", &manifest]);
        curl.args(["--header", "Content-Type: application/vnd.oci.image.manifest.v1+json"]);
        run(curl.arg(format!("http://{ADDRESS}/v2/{repository}/manifests/{tag}"))).expect(0);
        format!("{ADDRESS}/{name}")
    }

    /// The files that hold the registry's blobs, the largest first.
    pub fn blobs(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.join("docker/registry/v2/blobs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ => found.push(entry.path()),
                }
            }
        }
        found.sort_by_key(|path| {
            std::cmp::Reverse(std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
        });
        found
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

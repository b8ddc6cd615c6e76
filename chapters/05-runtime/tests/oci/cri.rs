//! containerd's CRI plugin, as Kubernetes calls it, with coracle-oci as the runtime of its pods.
//!
//! Its messages are protocol buffers over gRPC: HTTP/2 on a Unix socket, which curl speaks. The numbers of fields are those of
//! cri-api's `runtime/v1/api.proto`.

use super::callers::remove_parent;
use super::site::{Site, eventually, is_installed, skip};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A configuration of its own, images of ours, and a network that gives an address to nobody in particular. What it writes
/// elsewhere than it is told is seen by nobody.
const CONTAINERD: &str = r#"
mount -t tmpfs run /run; mount -t tmpfs lib /var/lib
ip link set lo up
mkdir $D/cni
cat > $D/cni/one <<'END'
#!/bin/sh
cat > /dev/null
case $CNI_COMMAND in
    ADD) echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.9.8.7/24"}]}' ;;
    VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.4.0"]}' ;;
esac
END
chmod 755 $D/cni/one; ln -s one $D/cni/loopback
echo '{"cniVersion":"0.4.0","name":"net","plugins":[{"type":"one"}]}' > $D/cni/one.conflist
cat > $D/containerd.toml <<END
version = 2
root = "$D/containerd-root"
state = "$D/containerd-state"
[grpc]
address = "$D/sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/box:1"
netns_mounts_under_state_dir = true
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "$D/cni"
conf_dir = "$D/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
default_runtime_name = "coracle"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.coracle]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.coracle.options]
BinaryName = "$RUNTIME"
END
exec containerd -c $D/containerd.toml -l error > $D/containerd.log 2>&1
"#;

/// An image of the site's root file system, whose command is what a pod's first container does: nothing.
const IMAGE: &str = r#"
tar -C rootfs -cf layer.tar .
layer=$(sha256sum < layer.tar | cut -d ' ' -f 1)
config='{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sleep","100000"],"Env":["PATH=/bin"]},'
echo "$config\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$layer\"]}}" > image.json
echo '[{"Config":"image.json","RepoTags":["localhost/box:1"],"Layers":["layer.tar"]}]' > manifest.json
tar -cf image.tar manifest.json image.json layer.tar
ctr --address sock --namespace k8s.io images import --snapshotter native image.tar
"#;

/// A message that is being written.
#[derive(Default, Clone)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: u64, value: u64) -> Message {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Message {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Message {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: &Message) -> Message {
        self.bytes(field, &value.0)
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// What a field says, if it is there.
    fn find(&self, wanted: u64) -> Option<Message> {
        let mut rest = self.0.as_slice();
        while !rest.is_empty() {
            let key = take_varint(&mut rest);
            let start = rest;
            let value = match key & 7 {
                0 => {
                    take_varint(&mut rest);
                    &start[..start.len() - rest.len()]
                }
                _ => {
                    let length = take_varint(&mut rest) as usize;
                    rest.split_off(..length).expect("a whole message")
                }
            };
            if key >> 3 == wanted {
                return Some(Message(value.to_vec()));
            }
        }
        None
    }

    fn as_text(&self) -> String {
        String::from_utf8(self.0.clone()).expect("text")
    }

    fn as_number(&self) -> u64 {
        take_varint(&mut self.0.as_slice())
    }
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = *rest.split_off_first().expect("a whole number");
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// A containerd that answers.
struct Server<'a> {
    site: &'a Site,
    child: Child,
}

impl Server<'_> {
    fn start(site: &Site) -> Server<'_> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "bash", "-e", "-c", CONTAINERD]).current_dir(&site.folder);
        command.env("D", &site.folder).env("RUNTIME", &site.executable);
        let server = Server { site, child: command.spawn().unwrap() };
        eventually("containerd answers", || server.try_call("Version", &Message::default()).is_ok());
        let image = Command::new("sh").args(["-e", "-c", IMAGE]).current_dir(&site.folder).output().unwrap();
        assert!(image.status.success(), "{image:?}");
        server
    }

    /// The answer, or what gRPC says instead of one.
    fn try_call(&self, method: &str, request: &Message) -> Result<Message, String> {
        let url = format!("http://localhost/runtime.v1.RuntimeService/{method}");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--http2-prior-knowledge", "--unix-socket", "sock", &url]);
        curl.args(["--header", "content-type: application/grpc", "--header", "te: trailers"]);
        curl.args(["--data-binary", "@-", "--dump-header", "head", "--output", "body"]);
        curl.current_dir(&self.site.folder).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut curl = curl.spawn().unwrap();
        let mut framed = vec![0];
        framed.extend((request.0.len() as u32).to_be_bytes());
        framed.extend(&request.0);
        // One that reaches nobody has ended before it reads.
        let _ = curl.stdin.take().unwrap().write_all(&framed);
        let status = curl.wait().unwrap();
        let read = |name: &str| std::fs::read(self.site.folder.join(name)).unwrap_or_default();
        let head = String::from_utf8_lossy(&read("head")).into_owned();
        if !status.success() || !head.contains("grpc-status: 0") {
            return Err(format!("{method}: {status}: {head}"));
        }
        Ok(Message(read("body").get(5..).unwrap_or_default().to_vec()))
    }

    #[track_caller]
    fn call(&self, method: &str, request: &Message) -> Message {
        self.try_call(method, request).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A call about a container or a pod whose answer says nothing.
    #[track_caller]
    fn does(&self, method: &str, id: &str) {
        self.call(method, &Message::default().text(1, id));
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.child.id() as i32),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.child.wait();
    }
}

/// A network and an IPC namespace of the pod's, a PID namespace of each container's.
fn namespaces() -> Message {
    Message::default().number(2, 1)
}

fn pod(site: &Site) -> Message {
    let metadata = Message::default().text(1, "pod").text(2, "uid").text(3, "default");
    let security = Message::default().message(1, &namespaces());
    let linux = Message::default().text(1, &format!("/{}", site.id)).message(2, &security);
    let logs = site.folder.join("logs").display().to_string();
    Message::default().message(1, &metadata).text(2, "of-the-pod").text(3, &logs).message(8, &linux)
}

const SCRIPT: &str = "trap 'exit 3' TERM; echo $X; while true; do sleep 0.1; done";

fn container() -> Message {
    let image = Message::default().text(1, "localhost/box:1");
    let variable = Message::default().text(1, "X").text(2, "as asked");
    let user = Message::default().number(1, 1000);
    let security = Message::default().message(3, &namespaces()).message(5, &user);
    let memory = Message::default().number(4, 64 << 20);
    Message::default()
        .message(1, &Message::default().text(1, "one"))
        .message(2, &image)
        .text(3, "/bin/sh")
        .text(4, "-c")
        .text(4, SCRIPT)
        .message(6, &variable)
        .text(11, "one.log")
        .message(15, &Message::default().message(1, &memory).message(2, &security))
}

/// Its limit of memory, as the kernel has it.
fn memory_of(site: &Site, container: &str) -> String {
    let layout = cgroups::Layout::detect().expect("the hierarchies are told");
    let mounts = layout.v1.iter().map(|hierarchy| &hierarchy.mount).chain(&layout.unified);
    let group = Path::new(&site.id).join(container);
    let files = mounts
        .flat_map(|mount| ["memory.limit_in_bytes", "memory.max"].map(|name| mount.join(&group).join(name)));
    files.filter_map(|file| std::fs::read_to_string(file).ok()).next().expect("a limit").trim().to_owned()
}

#[test]
fn kubernetes_does_with_it_what_it_does() {
    let test = "kubernetes_does_with_it_what_it_does";
    for program in ["containerd", "ctr", "curl"] {
        if !is_installed(program) {
            return skip(test, &format!("{program} is not installed"));
        }
    }
    let Some(site) = Site::new("cri", "") else { return };
    let _alone = super::site::hierarchies();
    let server = Server::start(&site);
    let config = pod(&site);
    let answer = server.call("RunPodSandbox", &Message::default().message(1, &config));
    let pod = answer.find(1).expect("an id").as_text();
    let create = Message::default().text(1, &pod).message(2, &container()).message(3, &config);
    let id = server.call("CreateContainer", &create).find(1).expect("an id").as_text();
    server.does("StartContainer", &id);
    let log = site.folder.join("logs/one.log");
    eventually("it has written", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("stdout F as asked"))
    });

    let script = "id -u; cat /proc/sys/kernel/hostname; echo why >&2; exit 9";
    let exec = Message::default().text(1, &id).text(2, "/bin/sh").text(2, "-c").text(2, script);
    let said = server.call("ExecSync", &exec);
    assert_eq!(said.find(1).expect("output").as_text(), "1000\nof-the-pod\n");
    assert_eq!(said.find(2).expect("errors").as_text(), "why\n");
    assert_eq!(said.find(3).expect("a code").as_number(), 9);

    assert_eq!(memory_of(&site, &id), (64 << 20).to_string());
    let more = Message::default().text(1, &id).message(2, &Message::default().number(4, 128 << 20));
    server.call("UpdateContainerResources", &more);
    assert_eq!(memory_of(&site, &id), (128 << 20).to_string());
    let memory = server
        .call("ContainerStats", &Message::default().text(1, &id))
        .find(1)
        .and_then(|stats| stats.find(3));
    assert!(
        memory
            .expect("statistics")
            .find(2)
            .is_some_and(|used| used.find(1).is_some_and(|n| n.as_number() > 0))
    );

    server.call("StopContainer", &Message::default().text(1, &id).number(2, 10));
    let status = server.call("ContainerStatus", &Message::default().text(1, &id)).find(1).expect("a status");
    assert_eq!(status.find(3).expect("a state").as_number(), 2, "it has exited");
    assert_eq!(status.find(7).expect("a code").as_number(), 3);
    server.does("RemoveContainer", &id);
    server.does("StopPodSandbox", &pod);
    server.does("RemovePodSandbox", &pod);
    assert_eq!(server.call("ListPodSandbox", &Message::default()).0, b"");
    drop(server);
    remove_parent(&site);
}

//! podman, containerd and dockerd, as Debian has them, with coracle-oci as the runtime that they call.
//!
//! Each does what it does in a mount and a network namespace of the test's own, by a script whose output is compared to the letter.

use super::site::{Site, is_installed, skip};
use std::process::{Command, Output};

/// Runs a script with `$D`, the site's folder, `$N`, a name that nobody else has, and `$RUNTIME`; returns what it printed.
fn script_says(site: &Site, script: &str) -> String {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "bash", "-c", script]).current_dir(&site.folder);
    command.env("D", &site.folder).env("N", &site.id).env("RUNTIME", &site.executable);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
    stdout.replace(&site.id, "NAME")
}

/// Removes the group that the caller was told to make its groups in, and the one that podman's conmon leaves in it: they are
/// empty, or this fails.
pub fn remove_parent(site: &Site) {
    let layout = cgroups::Layout::detect().expect("the hierarchies are told");
    for mount in layout.v1.iter().map(|hierarchy| &hierarchy.mount).chain(&layout.unified) {
        for folder in [mount.join(&site.id).join("conmon"), mount.join(&site.id)] {
            if folder.exists() {
                std::fs::remove_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            }
        }
    }
}

const PODMAN: &str = r#"
podman() {
    command podman --root $D/storage --runroot $D/run --tmpdir $D/tmp --storage-driver vfs --cgroup-manager cgroupfs \
        --events-backend file --runtime $RUNTIME "$@" 2>&1 | sed "s/^[0-9a-f]\{64\}\$/ID/"
    return ${PIPESTATUS[0]}
}
podman run --rm --network none --cgroup-parent /$N --rootfs $D/rootfs echo hello
podman run --rm --network none --cgroup-parent /$N --rootfs $D/rootfs sh -c 'exit 7'; echo "code $?"
podman run --rm --network none --cgroup-parent /$N --read-only --cap-drop all --security-opt no-new-privileges --ulimit nofile=100:200 \
    --user 1000:1000 --rootfs $D/rootfs sh -c 'id -u; ulimit -n; echo > /y'
podman run -d --name $N --memory 64m --pids-limit 50 --network none --cgroup-parent /$N --rootfs $D/rootfs sleep 100
podman exec -w /bin -e X=1 -u 5:6 $N sh -c 'id -u; echo $X; pwd'
podman exec $N sh -c 'exit 9'; echo "code $?"
podman pause $N
podman ps -a --format '{{.Names}} {{.Status}}' | grep $N
podman unpause $N
podman stats --no-stream --format '{{.Name}} {{.PIDs}}' $N
podman update --memory 128m $N
find /sys/fs/cgroup -path "*/$N/libpod-*" \( -name memory.limit_in_bytes -o -name memory.max \) -exec cat {} +
podman top $N | tail -n 1 | sed 's/.*sleep/sleep/'
podman stop -t 0 $N
podman start $N
podman kill $N
podman wait $N
podman rm -a
podman ps -a -q | wc -l
"#;

#[test]
fn podman_does_with_it_what_it_does() {
    if !is_installed("podman") {
        return skip("podman_does_with_it_what_it_does", "podman is not installed");
    }
    let Some(site) = Site::new("podman", "") else { return };
    let said = script_says(&site, PODMAN);
    remove_parent(&site);
    let expected = "hello\ncode 7\n1000\n100\nsh: can't create /y: Read-only file system\nID\n5\n1\n/bin\ncode 9\nNAME\n\
                    NAME Paused\nNAME\nNAME 1\nID\n134217728\nsleep 100 \nNAME\nNAME\nNAME\n137\n";
    assert!(said.starts_with(expected) && said.ends_with("\n0\n"), "{said}");
}

const CONTAINERD: &str = r#"
cat > $D/containerd.toml <<END
version = 2
root = "$D/containerd-root"
state = "$D/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$D/containerd.sock"
END
containerd -c $D/containerd.toml -l error > $D/containerd.log 2>&1 &
server=$!
ctr() { command ctr -a $D/containerd.sock "$@" 2>&1; }
for try in $(seq 100); do ctr version > /dev/null && break; sleep 0.1; done
run="run --runc-binary $RUNTIME --cgroup /$N/one --env PATH=/bin --rootfs"
ctr $run --rm $D/rootfs $N-a echo hello
ctr $run --rm $D/rootfs $N-a sh -c 'exit 7'; echo "code $?"
ctr $run -d --memory-limit 67108864 $D/rootfs $N sleep 100
ctr tasks exec --exec-id x1 $N sh -c 'echo inside'
ctr tasks exec --exec-id x2 $N sh -c 'exit 9'; echo "code $?"
ctr tasks pause $N
ctr tasks ls | grep $N | sed 's/ .* / /'
ctr tasks resume $N
ctr tasks metrics $N | grep -E 'memory.*limit|memory.max ' | grep -o 67108864
ctr tasks ps $N | wc -l
# Where CRIU works it tells the name of an image, elsewhere our remedy.
ctr tasks checkpoint $N | grep -qE 'containerd.io/checkpoint/|or name it by --criu' && echo checkpoint
ctr tasks kill -s KILL $N
for try in $(seq 100); do ctr tasks ls | grep -q STOPPED && break; sleep 0.1; done
ctr tasks rm $N > /dev/null
ctr containers rm $N
ctr containers ls -q | wc -l
kill $server; wait $server
"#;

#[test]
fn containerd_does_with_it_what_it_does() {
    if !(is_installed("containerd") && is_installed("ctr")) {
        return skip("containerd_does_with_it_what_it_does", "containerd is not installed");
    }
    let Some(site) = Site::new("containerd", "") else { return };
    let _alone = super::site::hierarchies();
    let said = script_says(&site, CONTAINERD);
    remove_parent(&site);
    let expected = "hello\ncode 7\ninside\ncode 9\nNAME PAUSED\n67108864\n2\ncheckpoint\n0\n";
    assert_eq!(said, expected);
}

/// Its first containerd may take a quarter of a minute on a machine that has other work.
const DOCKERD: &str = r#"
ip link set lo up
mkdir $D/docker
dockerd --data-root $D/docker/data --exec-root $D/docker/exec -H unix://$D/docker.sock --pidfile $D/docker/pid --bridge none \
    --iptables=false --storage-driver vfs --cgroup-parent /$N --add-runtime coracle=$RUNTIME --default-runtime coracle \
    > $D/docker/log 2>&1 &
server=$!
docker() { command docker -H unix://$D/docker.sock "$@" 2>&1 | sed "s/^[0-9a-f]\{64\}\$/ID/"; return ${PIPESTATUS[0]}; }
for try in $(seq 600); do docker version > /dev/null && break; sleep 0.1; done
tar -C $D/rootfs -c . | docker import - box | cut -d : -f 1
run="run --network none"
docker $run --rm box echo hello
docker $run --rm box sh -c 'exit 7'; echo "code $?"
docker $run --rm box nosuch > $D/docker/refusal; echo "code $?"
grep -o 'exec: "nosuch": executable file not found in $PATH' $D/docker/refusal
docker $run --rm -t box tty | tr -d '\r'
docker $run --rm --read-only --cap-drop all --security-opt no-new-privileges --ulimit nofile=100:200 --user 1000:1000 \
    box sh -c 'id -u; ulimit -n; (echo > /y) 2> /dev/null || echo read-only'
docker $run --rm --init box sh -c 'echo "number $$"'
docker $run -d --name $N --memory 64m --pids-limit 50 box sleep 100
docker exec -w /bin -e X=1 -u 5:6 $N sh -c 'id -u; echo $X; pwd'
docker exec $N sh -c 'exit 9'; echo "code $?"
docker exec $N nosuch > /dev/null; echo "code $?"
docker exec -t $N tty | tr -d '\r'
docker pause $N
docker inspect -f '{{.State.Status}} {{.HostConfig.Runtime}}' $N
docker unpause $N
docker stats --no-stream --format '{{.Name}} {{.PIDs}}' $N
docker update --memory 128m --memory-swap 256m --pids-limit 60 $N
find /sys/fs/cgroup -path "*/$N/*/*" \( -name memory.limit_in_bytes -o -name memory.max -o -name pids.max \) -exec cat {} + | sort -n
docker top $N | tail -n 1 | sed 's/.*sleep/sleep/'
docker stop -t 0 $N
docker inspect -f 'ended with {{.State.ExitCode}}' $N
docker start $N
docker kill $N
docker wait $N
docker start $N
docker rm -f $N
docker $run --name $N --memory 16m --memory-swap 16m box sh -c 'x=x; while true; do x=$x$x; done'
docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' $N
docker rm $N
docker ps -a -q | wc -l
kill $server; wait $server
"#;

#[test]
fn dockerd_does_with_it_what_it_does() {
    if !(is_installed("dockerd") && is_installed("docker")) {
        return skip("dockerd_does_with_it_what_it_does", "dockerd is not installed");
    }
    let Some(site) = Site::new("dockerd", "") else { return };
    let said = script_says(&site, DOCKERD);
    remove_parent(&site);
    let expected = "sha256\nhello\ncode 7\ncode 127\nexec: \"nosuch\": executable file not found in $PATH\n/dev/pts/0\n\
                    1000\n100\nread-only\nnumber 2\nID\n5\n1\n/bin\ncode 9\ncode 126\n\
                    /dev/pts/0\nNAME\npaused coracle\nNAME\nNAME 1\nNAME\n60\n134217728\nsleep 100\nNAME\nended with 137\n\
                    NAME\nNAME\n137\nNAME\nNAME\ntrue 137\nNAME\n0\n";
    assert_eq!(said, expected);
}

//! An ordinary user to whom root has given ranges of ids, and podman as that user calls it.

use super::site::{Site, is_installed, skip};
use serde_json::json;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A site that is the user's, who is called as `cargo xtask test` calls them; None where they are not there.
fn users_site(name: &str, user: &str, script: &str) -> Option<Site> {
    let found = nix::unistd::User::from_name(user).unwrap().filter(|_| is_installed("newuidmap"));
    let Some(user) = found else {
        skip(&format!("oci::{name}"), &format!("needs newuidmap and the user {user}"));
        return None;
    };
    let mut site = Site::new(name, script)?;
    site.owner = Some((user.uid.as_raw(), user.gid.as_raw()));
    give(&site.folder, user.uid.as_raw(), user.gid.as_raw());
    let spec = runtime::default_spec(site.owner).unwrap();
    site.spec["linux"] = serde_json::to_value(spec.linux()).unwrap();
    Some(site)
}

fn give(path: &Path, user: u32, group: u32) {
    lchown(path, Some(user), Some(group)).unwrap();
    if path.symlink_metadata().unwrap().is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), user, group));
    }
}

/// The first id of the user's range, as Debian's tools write it.
fn first_of_range(file: &str) -> u32 {
    let text = std::fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("coracle-ranges:"));
    line.expect("this user has ranges").split(':').next().unwrap().parse().unwrap()
}

const SCRIPT: &str = "id -G; cat /proc/self/uid_map /proc/self/setgroups | tr -s ' '; busybox chmod 1777 /tmp; mkfifo /tmp/ready /tmp/end; \
                      echo > /tmp/ready; cat /tmp/end";

#[test]
fn ids_of_ranges_are_written_by_the_helpers() {
    let Some(mut site) = users_site("ranges", "coracle-ranges", SCRIPT) else { return };
    let (user, group) = site.owner.unwrap();
    let (users, groups) = (first_of_range("/etc/subuid"), first_of_range("/etc/subgid"));
    let map = |own, first| json!([{ "containerID": 0, "hostID": own, "size": 1 }, { "containerID": 1, "hostID": first, "size": 65536 }]);
    site.spec["linux"]["uidMappings"] = map(user, users);
    site.spec["linux"]["gidMappings"] = map(group, groups);
    site.spec["process"]["user"] = json!({ "uid": 0, "gid": 0, "additionalGids": [7, 8] });
    site.write();
    let output = site.folder.join("output");
    let created =
        site.command(&["create", &site.id]).stdout(std::fs::File::create(&output).unwrap()).status();
    assert!(created.unwrap().success());
    site.ok(&["start", "ID"]);
    // It is the last that the script makes.
    super::site::eventually("there are pipes", || site.folder.join("rootfs/tmp/end").exists());
    site.ok(&["exec", "ID", "cat", "/tmp/ready"]);
    let said = std::fs::read_to_string(&output).unwrap();
    assert_eq!(said, format!("0 7 8\n 0 {user} 1\n 1 {users} 65536\nallow\n"));
    assert_eq!(site.ok(&["exec", "--user", "1000:50", "-g", "60", "ID", "id", "-G"]), "50 60\n");
    // What another user makes has an owner of the range; and root inside takes it away again.
    site.ok(&["exec", "--user", "1000:50", "ID", "mkdir", "/tmp/other"]);
    let other = site.folder.join("rootfs/tmp/other");
    let found = std::fs::metadata(&other);
    let (uid, gid) = found.map(|file| (file.uid(), file.gid())).expect("it was made");
    assert_eq!((uid, gid), (users + 999, groups + 49));
    assert_eq!(site.status(), "running");
    // A process whose user is not ours, and that ends.
    site.ok(&["exec", "-d", "--user", "1000:50", "ID", "sleep", "100"]);
    // The writer is killed with the rest, if the reader is faster in ending.
    site.run(&["exec", "ID", "sh", "-c", "echo > /tmp/end"]);
    super::site::eventually("it ends", || site.status() == "stopped");
    site.ok(&["delete", "ID"]);
    site.nothing_is_left();
}

/// Somebody's user namespace, and mounts that belong to it, which live as long as this does.
struct UserNamespace {
    holder: Child,
    file: String,
}

impl UserNamespace {
    /// Made by whom the site's program is called as: an ordinary user has one id to give, and root has many.
    fn new(site: &Site) -> UserNamespace {
        let mut holder = Command::new("unshare");
        holder
            .args(["--user", "--mount", "sh", "-c", "echo; exec sleep 100"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if let Some((user, group)) = site.owner {
            holder.uid(user).gid(group);
        }
        let mut holder = holder.spawn().unwrap();
        holder.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(format!("/proc/{}/{name}", holder.id()), text).unwrap();
        };
        let ((user, group), count) = site.owner.map_or(((100_000, 100_000), 65536), |owner| (owner, 1));
        write("uid_map", format!("0 {user} {count}"));
        if count == 1 {
            write("setgroups", "deny".into());
        }
        write("gid_map", format!("0 {group} {count}"));
        let file = format!("/proc/{}/ns/user", holder.id());
        UserNamespace { holder, file }
    }

    /// Runs a shell script in both.
    fn runs(&self, script: &str) {
        let holder = self.holder.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &holder, "--user", "--mount", "sh", "-c", script]);
        assert!(command.status().unwrap().success(), "{script}");
    }

    /// What a link to it shows.
    fn name(&self) -> String {
        std::fs::read_link(&self.file).unwrap().display().to_string()
    }

    /// The container's, in the place of a new one; its other namespaces are made beside it.
    fn be_joined(&self, site: &mut Site) {
        let linux = site.spec["linux"].as_object_mut().unwrap();
        linux.retain(|field, _| field != "uidMappings" && field != "gidMappings");
        let namespaces = linux["namespaces"].as_array_mut().unwrap();
        namespaces.retain(|one| one["type"] != "user");
        namespaces.push(json!({ "type": "user", "path": self.file }));
    }
}

impl Drop for UserNamespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

const SHOWS_ITSELF: &str = "id -u; id -G; echo $$; ls -l /proc/self/ns/user | tr -s ' '";

/// Somebody else has made it, with one group: the kernel lets nobody in it call setgroups(2).
#[test]
fn a_user_namespace_that_denies_setgroups_is_joined() {
    let Some(mut site) = users_site("joined-user", "coracle-ranges", SHOWS_ITSELF) else { return };
    let spec = runtime::default_spec(site.owner).unwrap();
    site.spec["mounts"] = serde_json::to_value(spec.mounts()).unwrap();
    let joined = UserNamespace::new(&site);
    joined.be_joined(&mut site);
    site.write();
    let said = site.ok(&["run", "ID"]);
    assert!(said.starts_with("0\n0\n1\n") && said.contains(&joined.name()), "{said}");
    // Groups that it cannot become a member of are not left out in silence.
    site.spec["process"]["user"] = json!({ "uid": 0, "gid": 0, "additionalGids": [7] });
    site.write();
    let said = site.refused(&["run", "ID"]);
    assert!(
        said.contains("process.user.additionalGids: group 7: this user namespace forbids setgroups(2)"),
        "{said}"
    );
    site.nothing_is_left();
}

/// Root may call setgroups(2) where an ordinary user may not: what root's shell was a member of is not the container's.
#[test]
fn a_container_of_one_group_has_none_of_its_makers_when_root_makes_it() {
    let Some(mut site) = Site::new("one-group", "id -G; cat /proc/self/setgroups") else { return };
    let spec = runtime::default_spec(Some((0, 0))).unwrap();
    site.spec["linux"] = serde_json::to_value(spec.linux()).unwrap();
    site.spec["mounts"] = serde_json::to_value(spec.mounts()).unwrap();
    site.write();
    let runtime = site.command(&["run", &site.id]);
    let mut as_a_member = Command::new("setpriv");
    as_a_member.args(["--groups", "0,6,42"]).arg(runtime.get_program()).args(runtime.get_args());
    let output = as_a_member.current_dir(&site.folder).stderr(Stdio::inherit()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\nallow\n");
    site.nothing_is_left();
}

/// As podman joins a pod's. Root outside is nobody inside, and what is its own alone cannot be seen from there.
#[test]
fn root_joins_a_user_namespace_and_makes_the_others_beside_it() {
    let Some(mut site) = Site::new("joined-by-root", SHOWS_ITSELF) else { return };
    let joined = UserNamespace::new(&site);
    joined.be_joined(&mut site);
    site.spec["process"]["user"] = json!({ "uid": 5, "gid": 6, "additionalGids": [7] });
    site.spec["linux"]["resources"] = json!({ "pids": { "limit": 20 } });
    site.spec["hostname"] = "beside".into();
    site.write();
    let said = site.ok(&["run", "ID"]);
    assert!(said.starts_with("5\n6 7\n1\n") && said.contains(&joined.name()), "{said}");
    site.ok(&["create", "ID"]);
    site.ok(&["start", "ID"]);
    site.ok(&["delete", "-f", "ID"]);
    site.nothing_is_left();
}

/// The child looks into the /proc that is there by then, which may be a forgery.
#[test]
fn root_joins_mounts_and_believes_no_proc_but_the_kernels() {
    let Some(mut site) = Site::new("joined-mounts-too", SHOWS_ITSELF) else { return };
    let forgery = "mount -t tmpfs forged /proc && mkdir /proc/self && echo deny > /proc/self/setgroups";
    for (script, answer) in [("true", 0), (forgery, 1)] {
        let joined = UserNamespace::new(&site);
        joined.runs(script);
        joined.be_joined(&mut site);
        let namespaces = site.spec["linux"]["namespaces"].as_array_mut().unwrap();
        namespaces.retain(|one| one["type"] != "mount");
        namespaces.push(json!({ "type": "mount", "path": joined.file.replace("/ns/user", "/ns/mnt") }));
        site.write();
        let (code, said, error) = site.run(&["run", "ID"]);
        let is_told = match code {
            0 => said.starts_with("0\n0\n1\n") && said.contains(&joined.name()),
            _ => error.contains("this is not the kernel's procfs"),
        };
        assert!(code == answer && is_told, "{code}: {said}{error}");
        site.nothing_is_left();
    }
}

#[test]
fn ids_that_nobody_gave_are_refused_before_anything_is_made() {
    let Some(mut site) = users_site("norange", "nobody", "true") else { return };
    let (user, group) = site.owner.unwrap();
    let further = json!({ "containerID": 1, "hostID": 4_000_000_000_u32, "size": 10 });
    site.spec["linux"]["uidMappings"].as_array_mut().unwrap().push(further.clone());
    site.spec["linux"]["gidMappings"].as_array_mut().unwrap().push(further);
    site.write();
    let refused = site.refused(&["run", "ID"]);
    let begin = format!("id maps (0 {user} 1, 1 4000000000 10): newuidmap: ");
    assert!(refused.contains(&begin) && user == group, "{refused}");
    assert!(
        refused.contains("/etc/subuid has no line for nobody; as root: usermod --add-subuids "),
        "{refused}"
    );
    site.nothing_is_left();
}

/// podman makes a user namespace of all ids that its user has, and calls the runtime in there, as its root.
const PODMAN: &str = r#"
mkdir -p $XDG_RUNTIME_DIR
podman() {
    command podman --root $D/storage --runroot $D/runroot --tmpdir $D/tmp --storage-driver vfs --cgroup-manager cgroupfs \
        --events-backend file --runtime $RUNTIME "$@" 2> $D/errors | sed "s/^[0-9a-f]\{64\}\$/ID/"
    code=${PIPESTATUS[0]}
    grep -v 'is not a shared mount' $D/errors
    return $code
}
run="podman run --network none"
root="--rootfs $D/rootfs"
$run --rm $root sh -c 'exit 7'; echo "code $?"
$run --rm $root sh -c 'cat /proc/self/uid_map | tr -s " "; mkdir /tmp/theirs; echo > /sys/fs/cgroup/x'
$run --rm --userns keep-id $root sh -c 'id -u'
$run --rm --read-only --user 1000:1000 --cap-drop all --security-opt no-new-privileges $root sh -c 'id -u; id -G; echo > /y'
$run -d --name $N $root sleep 100
podman exec -u 5:6 -e X=1 -w /bin $N sh -c 'id -u; echo $X; pwd'
podman exec $N sh -c 'exit 9'; echo "code $?"
podman ps -a --format '{{.Names}} {{.Status}}' | sed 's/ Up .*/ Up/'
podman stop -t 0 $N
podman start $N
podman kill $N
podman wait $N
podman rm -a
podman ps -a -q | wc -l
kill $(cat $D/tmp/pause.pid)
"#;

#[test]
fn podman_of_an_ordinary_user_does_with_it_what_it_does() {
    if !is_installed("podman") {
        return skip("oci::podman_of_an_ordinary_user_does_with_it_what_it_does", "podman is not installed");
    }
    let Some(site) = users_site("podmanof", "coracle-ranges", "") else { return };
    let (user, group) = site.owner.unwrap();
    let mut command = Command::new("unshare");
    command.args(["--net", "setpriv", "--reuid", &user.to_string(), "--regid", &group.to_string()]);
    command.args(["--clear-groups", "--", "bash", "-c", PODMAN]).current_dir(&site.folder).env_clear();
    command
        .env("PATH", "/usr/bin:/bin:/usr/sbin")
        .env("HOME", &site.folder)
        .env("XDG_RUNTIME_DIR", site.folder.join("run"));
    command.env("D", &site.folder).env("N", &site.id).env("RUNTIME", &site.executable);
    let Output { stdout, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stdout).replace(&site.id, "NAME") + &String::from_utf8_lossy(&stderr);
    let first = first_of_range("/etc/subuid");
    let expected = format!(
        "code 7\n 0 {user} 1\n 1 {first} 65536\nsh: can't create /sys/fs/cgroup/x: Read-only file system\n{user}\n1000\n1000\n\
         sh: can't create /y: Read-only file system\nID\n5\n1\n/bin\ncode 9\nNAME Up\nNAME\nNAME\nNAME\n137\nID\n0\n"
    );
    assert_eq!(said, expected);
}

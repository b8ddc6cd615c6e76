//! Real images, made offline from Debian's static busybox.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The commands that the tests use inside a container.
const APPLETS: &[&str] = &[
    "cat", "chmod", "cp", "date", "dd", "df", "echo", "env", "false", "grep", "head", "hostname", "id", "ip",
    "kill", "ln", "ls", "mkdir", "mknod", "mount", "nc", "ping", "ps", "pwd", "rm", "sh", "sleep", "stat",
    "stty", "tail", "tee", "test", "touch", "true", "tty", "umount", "uname", "wc", "wget", "which", "yes",
];

/// A root file system of busybox as a tar file, made once for all tests of this run.
pub fn busybox_tar() -> &'static Path {
    static TAR: OnceLock<PathBuf> = OnceLock::new();
    TAR.get_or_init(|| {
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("busybox-{}.tar", std::process::id()));
        let file = std::fs::File::create(&path).expect("a tar file in the target folder");
        write_busybox(&mut tar::Builder::new(file));
        path
    })
}

fn write_busybox(tar: &mut tar::Builder<std::fs::File>) {
    let folder = |mode: u32| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(mode);
        header.set_size(0);
        header
    };
    for (name, mode) in [
        ("bin/", 0o755),
        ("etc/", 0o755),
        ("tmp/", 0o1777),
        ("root/", 0o700),
        ("home/", 0o755),
        ("home/guest/", 0o755),
    ] {
        tar.append_data(&mut folder(mode), name, std::io::empty()).expect("a folder in the tar file");
    }
    tar.append_path_with_name("/bin/busybox", "bin/busybox").expect("/bin/busybox (package busybox-static)");
    for applet in APPLETS {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_mode(0o777);
        link.set_size(0);
        tar.append_link(&mut link, format!("bin/{applet}"), "busybox").expect("a link in the tar file");
    }
    let files: &[(&str, u32, &str)] = &[
        ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/home/guest:/bin/sh\n"),
        ("etc/group", 0o644, "root:x:0:\nguest:x:1000:\nstaff:x:50:guest\n"),
        ("etc/not-executable", 0o644, "#!/bin/sh\n"),
        ("bin/not-a-program", 0o755, "\u{7f}ELF but not really\n"),
    ];
    for (name, mode, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, name, text.as_bytes()).expect("a file in the tar file");
    }
    tar.finish().expect("the tar file's end");
}

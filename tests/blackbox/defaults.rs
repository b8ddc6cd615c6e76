//! Docker's defaults, shown equal: one probe under dockerd and under us.
//!
//! Where we are stricter on purpose, a line of `tests/accepted/defaults.txt` says what and why.

use crate::harness::{Engine, Who, run};
use crate::needs;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// What each engine's container is asked, and under which heading the answer is compared.
const QUESTIONS: &[(&str, &str)] = &[
    ("status", "grep -E '^(Cap|NoNewPrivs|Seccomp:|Umask|Uid|Gid|Groups)' /proc/self/status"),
    ("limits", "cat /proc/self/limits"),
    ("mounts", "cat /proc/self/mountinfo"),
    (
        "devices",
        "cd /dev; for f in * pts/ptmx; do stat -c '%n %F %a %t:%T %u:%g' $f; done; for l in fd stdin stdout stderr core ptmx; do readlink $l; done",
    ),
    (
        "masked",
        "for f in kcore keys latency_stats timer_list sched_debug scsi acpi asound; do stat -c '%n %F %t:%T' /proc/$f 2>&1; done",
    ),
    (
        "read-only",
        "for f in sys/kernel/hostname sysrq-trigger irq/default_smp_affinity; do (echo 1 > /proc/$f) 2>&1; done; touch /sys/x 2>&1",
    ),
    ("environment", "env"),
    ("namespaces", "ls /proc/self/ns"),
    ("oom", "cat /proc/self/oom_score_adj"),
    ("open files", "ls /proc/self/fd"),
    ("calls", "/probe/probe"),
];

/// Differences that are meant, each with its reason.
const ACCEPTED: &str = include_str!("../accepted/defaults.txt");

#[test]
fn the_defaults_are_dockers() {
    needs!(root);
    needs!("docker");
    needs!("dockerd");
    let ours = answers(Who::Coracle);
    let theirs = answers(Who::Dockerd);
    let accepted: BTreeSet<&str> = ACCEPTED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(" — ").next())
        .collect();
    let is_accepted = |line: &str| accepted.contains(line.trim());
    let mut differences = Vec::new();
    for line in theirs.difference(&ours).filter(|line| !is_accepted(line)) {
        differences.push(format!("  only theirs: {line}"));
    }
    for line in ours.difference(&theirs).filter(|line| !is_accepted(line)) {
        differences.push(format!("  only ours:   {line}"));
    }
    let calls = theirs.iter().filter(|line| line.starts_with("calls:")).count();
    println!("{} answers compared, {calls} of them system calls", theirs.len());
    assert!(calls >= 400, "the probe asked only {calls} system calls");
    assert!(differences.is_empty(), "the defaults differ:\n{}", differences.join("\n"));
}

/// What Docker of 2026 refuses, and its peer on this machine does not know of yet.
#[test]
fn what_leads_out_or_has_many_holes_is_refused() {
    needs!(root);
    needs!("docker");
    let ours = answers(Who::Coracle);
    let of_family = |family: i32, answer: &str| format!("calls: socket of family {family} {answer}");
    let refused = [nix::libc::AF_ALG, nix::libc::AF_VSOCK].map(|family| of_family(family, "EPERM"));
    let rings = [nix::libc::SYS_io_uring_setup, nix::libc::SYS_io_uring_enter];
    let rings = rings.map(|call| format!("calls: {call} EPERM"));
    let (local, internet, netlink) = (nix::libc::AF_UNIX, nix::libc::AF_INET6, nix::libc::AF_NETLINK);
    let made = [local, internet, netlink].map(|family| of_family(family, "EINVAL"));
    for line in refused.iter().chain(&rings).chain(&made) {
        assert!(ours.contains(line), "{line}");
    }
}

fn answers(who: Who) -> BTreeSet<String> {
    let engine = Engine::start_as(who);
    engine.import_busybox();
    let folder = engine.folder().join("probe");
    std::fs::create_dir(&folder).expect("a folder for the probe");
    // By another process: while we had it open for writing, a child of a thread beside us would hold it too (ETXTBSY).
    run(Command::new("cp").arg(probe()).arg(folder.join("probe"))).expect(0);
    let bind = format!("{}:/probe:ro", folder.display());
    let mut answers = BTreeSet::new();
    for (heading, question) in QUESTIONS {
        let said = engine.docker(&[
            "run",
            "--rm",
            "--hostname",
            "box",
            "-v",
            &bind,
            "busybox",
            "sh",
            "-c",
            question,
        ]);
        let text = said.stdout.replace(&engine.folder().display().to_string(), "FOLDER");
        for (number, line) in text.lines().enumerate() {
            answers.insert(normalised(heading, number, line));
        }
    }
    if who == Who::Coracle {
        engine.finish()
    } else {
        engine.discard()
    }
    answers
}

/// A line of an answer without what no two containers share: identifiers of mounts and containers, layers' folders.
fn normalised(heading: &str, number: usize, line: &str) -> String {
    match heading {
        "mounts" => format!("mounts: {}", mount(line)),
        "read-only" | "environment" if line.contains("HOSTNAME") => String::new(),
        "read-only" => format!("{heading} {number}: {line}"),
        _ => format!("{heading}: {line}"),
    }
}

/// `mount point, its options, file system, the file system's options`, without what identifies the container.
fn mount(line: &str) -> String {
    let fields: Vec<&str> = line.split(' ').collect();
    let separator = fields.iter().position(|field| *field == "-").unwrap_or(0);
    let optional = fields[6..separator].iter().map(|field| field.split(':').next().unwrap_or_default());
    let kind = fields[separator + 1];
    let sizes: Vec<&str> = fields[separator + 3].split(',').filter(|option| !is_private(option)).collect();
    let mut propagation: Vec<&str> = optional.collect();
    propagation.sort_unstable();
    // The files that an engine binds into /etc lie on whatever disk its root is.
    let options = if fields[4].starts_with("/etc/") { String::new() } else { sizes.join(",") };
    format!("{} {} {} {kind} {options}", fields[4], fields[5], propagation.join(","))
}

fn is_private(option: &str) -> bool {
    let private = [
        "lowerdir=",
        "lowerdir+=",
        "upperdir=",
        "workdir=",
        "xino=",
        "index=",
        "redirect_dir=",
        "uuid=",
        "nouserxattr",
    ];
    private.iter().any(|prefix| option.starts_with(prefix))
}

/// Builds the probe; gcc is part of what every contributor has.
fn probe() -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/blackbox/probe.c");
    let binary = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("probe");
    run(Command::new("gcc").args(["-static", "-O1", "-o"]).arg(&binary).arg(source)).expect(0);
    binary
}

//! Our seccomp compiler against libseccomp: both compile the same random profiles, and a model of the kernel's machine, which
//! another test holds equal to the kernel, runs both programs on the same calls. Their answers must be the same.
//!
//! libseccomp is asked through a small C program (export.c): nothing of it comes into our binaries. Where it is not installed, who
//! runs all tests is told so.
#![forbid(unsafe_code)]

mod profiles;

use models::{Instruction, answer};
use privileges::seccomp::{Arch, Comparison, Profile, compile};
use profiles::{Random, call, profile};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How many profiles are compiled, and how many calls are judged by each.
const PROFILES: u64 = 500;
const CALLS: usize = 100;

fn main() -> ExitCode {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let Some(program) = compiled(&folder) else {
        println!("test libseccomp ... SKIPPED: no gcc, or no libseccomp-dev: cargo xtask setup");
        return note_skipped();
    };
    let profiles: Vec<Profile> = (1..=PROFILES).map(|seed| profile(&mut Random::new(seed))).collect();
    let theirs = exported(&program, &profiles);
    assert_eq!(theirs.len(), profiles.len());
    let usable = profiles.iter().zip(&theirs).filter(|(profile, theirs)| loads_numbers(theirs, profile));
    let (mut programs, mut judged, mut answers) = (0, 0, std::collections::BTreeMap::new());
    for (number, (profile, theirs)) in usable.enumerate() {
        let ours = instructions(&compile(profile).instructions);
        let mut random = Random::new(1_000_000 + number as u64);
        for _ in 0..CALLS {
            let call = call(&mut random, profile);
            let (mine, other) = (answer(&ours, &call), answer(theirs, &call));
            assert_eq!(mine, other, "{call:x?} under {}", text(profile));
            *answers.entry(mine).or_insert(0) += 1;
            judged += 1;
        }
        programs += 1;
    }
    println!(
        "test libseccomp ... ok: {judged} decisions under {programs} of {PROFILES} profiles; {answers:x?}"
    );
    assert!(
        judged >= 10_000 && programs > PROFILES / 3 && answers.len() >= 8,
        "{programs} programs, {answers:x?}"
    );
    ExitCode::SUCCESS
}

/// Who runs all tests names in the end what was skipped.
fn note_skipped() -> ExitCode {
    skipped::skip("seccomp against libseccomp", "no gcc, or no libseccomp-dev: cargo xtask setup");
    ExitCode::SUCCESS
}

fn compiled(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libseccomp/export.c");
    let program = folder.join("export");
    let mut gcc = Command::new("gcc");
    gcc.args(["-Wall", "-o"]).arg(&program).arg(source).arg("-lseccomp").stderr(Stdio::null());
    gcc.status().is_ok_and(|status| status.success()).then_some(program)
}

/// Every profile as libseccomp compiles it; an empty program where it refuses.
fn exported(program: &Path, profiles: &[Profile]) -> Vec<Vec<Instruction>> {
    let text: String = profiles.iter().map(text).collect();
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let mut bytes = output.stdout.as_slice();
    let mut programs = Vec::new();
    while let Some((count, rest)) = bytes.split_at_checked(4) {
        let (own, rest) = rest.split_at(8 * u32::from_ne_bytes(count.try_into().unwrap()) as usize);
        let one = |raw: &[u8]| Instruction {
            code: u16::from_ne_bytes([raw[0], raw[1]]),
            jt: raw[2],
            jf: raw[3],
            k: u32::from_ne_bytes(raw[4..].try_into().unwrap()),
        };
        programs.push(own.chunks(8).map(one).collect());
        bytes = rest;
    }
    programs
}

/// On architectures other than x86_64, libseccomp (2.5.4) sometimes compares the architecture with calls' numbers: it has not
/// loaded the call's number before. Such a program says nothing of what the profile means.
fn loads_numbers(program: &[Instruction], profile: &Profile) -> bool {
    let audits: Vec<u32> = profile.architectures.iter().map(|arch| arch.audit()).collect();
    let sections = program.iter().enumerate().filter(|(_, one)| one.code == 0x15 && audits.contains(&one.k));
    let mut firsts = sections.map(|(at, one)| program.get(at + 1 + usize::from(one.jt)));
    !program.is_empty() && firsts.all(|first| first.is_some_and(|first| (first.code, first.k) == (0x20, 0)))
}

/// A profile in the words of export.c.
fn text(profile: &Profile) -> String {
    let mut text = format!("filter {:x}\n", profile.default_action.value());
    for arch in &profile.architectures {
        writeln!(text, "arch {}", arch_name(*arch)).unwrap();
    }
    // As runc and crun do: a rule that says what is said of all calls is none to libseccomp.
    for rule in profile.rules.iter().filter(|rule| rule.action != profile.default_action) {
        for name in &rule.names {
            write!(text, "rule {:x} {name} {}", rule.action.value(), rule.conditions.len()).unwrap();
            for one in &rule.conditions {
                let (operator, a, b) = match one.comparison {
                    Comparison::NotEqual => (1, one.value, 0),
                    Comparison::Less => (2, one.value, 0),
                    Comparison::LessOrEqual => (3, one.value, 0),
                    Comparison::Equal => (4, one.value, 0),
                    Comparison::GreaterOrEqual => (5, one.value, 0),
                    Comparison::Greater => (6, one.value, 0),
                    Comparison::MaskedEqual { mask } => (7, mask, one.value),
                };
                write!(text, " {} {operator} {a:x} {b:x}", one.index).unwrap();
            }
            text.push('\n');
        }
    }
    text + "end\n"
}

fn arch_name(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "x86_64",
        Arch::X32 => "x32",
        Arch::I386 => "x86",
        Arch::Aarch64 => "aarch64",
        Arch::Arm => "arm",
    }
}

fn instructions(own: &[privileges::seccomp::Instruction]) -> Vec<Instruction> {
    own.iter().map(|one| Instruction { code: one.code, jt: one.jt, jf: one.jf, k: one.k }).collect()
}

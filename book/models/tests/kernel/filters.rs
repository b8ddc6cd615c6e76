//! Which answers the kernel gets from filters: random programs, each loaded by a thread that then makes one call.

use crate::random::Random;
use models::{Call, Instruction, answer};
use std::path::Path;

/// How many random programs are run.
const PROGRAMS: u64 = 2_000;

/// fallocate(2), which takes two numbers of 64 bits, and comes to nothing here: each filter answers it with an errno.
const FALLOCATE: u32 = if cfg!(target_arch = "x86_64") { 285 } else { 47 };
const AUDIT: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };

/// `SECCOMP_RET_ERRNO`, and how much of an answer comes back as the errno.
const ERRNO: u32 = 0x5_0000;
const ERRNO_BITS: u32 = 0xfff;

pub fn filters_answer_as_the_model_says(_: &Path) {
    let mut answers = std::collections::BTreeSet::new();
    for seed in 1..=PROGRAMS {
        let mut random = Random::new(seed);
        let program = program(&mut random);
        let arguments =
            [0, number(&mut random) & 0xffff_ffff, number(&mut random), number(&mut random), 0, 0];
        let call = Call { number: FALLOCATE, arch: AUDIT, instruction_pointer: 0, arguments };
        let model = answer(&program, &call).expect("the kernel takes it");
        assert_eq!(model & !ERRNO_BITS, ERRNO, "{program:#x?}");
        let model = model & ERRNO_BITS;
        let kernel =
            std::thread::scope(|scope| scope.spawn(|| kernels_answer(&program, &call)).join().unwrap());
        assert_eq!(model, kernel, "seed {seed}, {call:x?}, {program:#x?}");
        answers.insert(kernel);
    }
    println!("{PROGRAMS} programs, {} different answers", answers.len());
    assert!(answers.len() > 200, "too few programs depend on what they see: {}", answers.len());
}

/// The errno that the call comes to in this thread once the program is its filter.
fn kernels_answer(program: &[Instruction], call: &Call) -> u32 {
    let convert =
        |one: &Instruction| kernel::Instruction { code: one.code, jt: one.jt, jf: one.jf, k: one.k };
    nix::sys::prctl::set_no_new_privs().unwrap();
    kernel::load_seccomp_filter(&program.iter().map(convert).collect::<Vec<_>>(), 0).unwrap();
    let flags = rustix::fs::FallocateFlags::from_bits_retain(call.arguments[1] as u32);
    // Standard input is descriptor 0, whatever it is.
    match rustix::fs::fallocate(std::io::stdin(), flags, call.arguments[2], call.arguments[3]) {
        Ok(()) => 0,
        Err(errno) => errno.raw_os_error() as u32,
    }
}

/// Numbers of two halves, many of them near an end.
fn number(random: &mut Random) -> u64 {
    let ends = [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
    let mut half = || match random.below(12) {
        near @ 0..7 => ends[near],
        _ => random.below(1 << 31) as u64,
    };
    half() << 32 | half()
}

/// Lets every other call pass, fills the memory, computes and jumps forward, and answers with twelve bits of what came out.
fn program(random: &mut Random) -> Vec<Instruction> {
    let plain = |code, k| Instruction { code, jt: 0, jf: 0, k };
    let mut program = vec![
        plain(0x20, 0),
        Instruction { code: 0x15, jt: 1, jf: 0, k: FALLOCATE },
        plain(0x06, 0x7fff_0000),
    ];
    for place in 0..4 {
        program.extend([plain(0x20, word(random)), plain(0x02, place)]);
    }
    let length = 1 + random.below(24);
    program.extend((0..length).map(|at| instruction(random, length - at - 1)));
    program.extend([
        plain(0x74, [0, 8, 16, 20][random.below(4)]),
        plain(0x54, ERRNO_BITS),
        plain(0x44, ERRNO),
        plain(0x16, 0),
    ]);
    program
}

/// Where a word lies that is the same for every run: the number, the architecture, the first four arguments.
fn word(random: &mut Random) -> u32 {
    [0, 4, 16, 20, 24, 28, 32, 36, 40, 44][random.below(10)]
}

fn instruction(random: &mut Random, left: usize) -> Instruction {
    let k = number(random) as u32;
    let mut skip = || random.below(left.min(6) + 1) as u8;
    let (jt, jf) = (skip(), skip());
    let plain = |code, k| Instruction { code, jt: 0, jf: 0, k };
    let operations =
        [0x04, 0x14, 0x24, 0x44, 0x54, 0xa4, 0x0c, 0x1c, 0x2c, 0x4c, 0x5c, 0xac, 0x84, 0x6c, 0x7c];
    match random.below(8) {
        0 => plain(0x20, word(random)),
        1 => plain([0x00, 0x01, 0x80, 0x81, 0x07, 0x87][random.below(6)], k),
        2 => plain([0x60, 0x61, 0x02, 0x03][random.below(4)], random.below(4) as u32),
        3 => plain(operations[random.below(operations.len())], k),
        4 => plain(0x34, k.max(1)),
        5 => plain([0x64, 0x74][random.below(2)], random.below(32) as u32),
        6 if random.below(4) == 0 => plain(0x05, u32::from(jt)),
        _ => {
            let code = [0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d][random.below(8)];
            Instruction { code, jt, jf, k }
        }
    }
}

//! What the kernel does with a seccomp filter at each system call: a machine of two registers, sixteen words of memory and
//! jumps that only go forward (bpf(4), seccomp(2)). Step by step, for a diagram; or at once.

/// One instruction, as the kernel's `struct sock_filter` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// How many instructions to skip when a comparison holds.
    pub jt: u8,
    /// How many to skip when it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// What a filter sees of a call: `struct seccomp_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The call's number.
    pub number: u32,
    /// The architecture by which it was called (linux/audit.h).
    pub arch: u32,
    /// Where the call was made.
    pub instruction_pointer: u64,
    /// Its arguments. Where they are pointers, no filter sees what they point to.
    pub arguments: [u64; 6],
}

/// Bytes of `struct seccomp_data`.
const DATA: u32 = 64;

/// The machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// The instruction that comes next.
    pub at: usize,
    /// The accumulator.
    pub accumulator: u32,
    /// The index register.
    pub index: u32,
    /// The memory.
    pub memory: [u32; 16],
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The next instruction.
    Goes(Machine),
    /// The filter's answer, `SECCOMP_RET_*`.
    Answers(u32),
    /// Nothing: the kernel would not have taken such a program.
    Invalid,
}

/// What the filter answers to a call; none: the kernel would not have taken it.
pub fn answer(program: &[Instruction], call: &Call) -> Option<u32> {
    let mut machine = Machine::default();
    loop {
        match step(program, call, machine) {
            Step::Goes(next) => machine = next,
            Step::Answers(answer) => return Some(answer),
            Step::Invalid => return None,
        }
    }
}

/// One instruction. The lowest three bits of its code are its class.
pub fn step(program: &[Instruction], call: &Call, mut machine: Machine) -> Step {
    let Some(instruction) = program.get(machine.at) else {
        return Step::Invalid;
    };
    machine.at += 1;
    let moved = match instruction.code & 7 {
        0 => loaded(instruction, call, &machine).map(|value| machine.accumulator = value),
        1 => loaded(instruction, call, &machine).map(|value| machine.index = value),
        2 => stored(instruction, machine.accumulator, &mut machine),
        3 => stored(instruction, machine.index, &mut machine),
        4 => computed(instruction, &machine).map(|value| machine.accumulator = value),
        5 => jumped(instruction, &machine).map(|distance| machine.at += distance),
        6 => {
            return match instruction.code {
                0x06 => Step::Answers(instruction.k),
                0x16 => Step::Answers(machine.accumulator),
                _ => Step::Invalid,
            };
        }
        _ => exchanged(instruction, &mut machine),
    };
    moved.map_or(Step::Invalid, |()| Step::Goes(machine))
}

/// What LD and LDX load: a number, a word of memory, the size of the data, or (LD alone) an aligned word of it.
fn loaded(instruction: &Instruction, call: &Call, machine: &Machine) -> Option<u32> {
    match instruction.code {
        0x00 | 0x01 => Some(instruction.k),
        0x60 | 0x61 => machine.memory.get(instruction.k as usize).copied(),
        0x80 | 0x81 => Some(DATA),
        0x20 => word(call, instruction.k),
        _ => None,
    }
}

/// A word of the data, the lower half of each number first.
fn word(call: &Call, at: u32) -> Option<u32> {
    let half = |number: u64| (number >> (at % 8 * 8)) as u32;
    match at {
        _ if !at.is_multiple_of(4) || at >= DATA => None,
        0 => Some(call.number),
        4 => Some(call.arch),
        8 | 12 => Some(half(call.instruction_pointer)),
        _ => Some(half(call.arguments[(at as usize - 16) / 8])),
    }
}

fn stored(instruction: &Instruction, value: u32, machine: &mut Machine) -> Option<()> {
    let is_plain = matches!(instruction.code, 0x02 | 0x03);
    let place = machine.memory.get_mut(instruction.k as usize).filter(|_| is_plain)?;
    *place = value;
    Some(())
}

/// Arithmetic with a number, or with the index register; but no division by the register, which might be zero.
fn computed(instruction: &Instruction, machine: &Machine) -> Option<u32> {
    let Instruction { code, k, .. } = *instruction;
    let by_index = code & 0x08 != 0;
    let (left, right) = (machine.accumulator, if by_index { machine.index } else { k });
    Some(match code & 0xf0 {
        0x00 => left.wrapping_add(right),
        0x10 => left.wrapping_sub(right),
        0x20 => left.wrapping_mul(right),
        0x30 if !by_index => left.checked_div(right)?,
        0x40 => left | right,
        0x50 => left & right,
        // More than 31 places: the kernel refuses a number, and takes a register modulo 32.
        0x60 => left << if by_index { right & 31 } else { Some(right).filter(|places| *places < 32)? },
        0x70 => left >> if by_index { right & 31 } else { Some(right).filter(|places| *places < 32)? },
        0x80 if !by_index => left.wrapping_neg(),
        0xa0 => left ^ right,
        _ => return None,
    })
}

/// How far a jump goes.
fn jumped(instruction: &Instruction, machine: &Machine) -> Option<usize> {
    let Instruction { code, jt, jf, k } = *instruction;
    let (left, right) = (machine.accumulator, if code & 0x08 != 0 { machine.index } else { k });
    let holds = match code & 0xf0 {
        0x00 if code == 0x05 => return Some(k as usize),
        0x10 => left == right,
        0x20 => left > right,
        0x30 => left >= right,
        0x40 => left & right != 0,
        _ => return None,
    };
    Some(usize::from(if holds { jt } else { jf }))
}

/// From one register to the other.
fn exchanged(instruction: &Instruction, machine: &mut Machine) -> Option<()> {
    match instruction.code {
        0x07 => machine.index = machine.accumulator,
        0x87 => machine.accumulator = machine.index,
        _ => return None,
    }
    Some(())
}

//! Long tail: rules for devices as a program of eBPF, which v2 has in place of files: the kernel runs it at each open(2) and mknod(2) of a
//! device by a process of the group (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE). Pure.

use crate::DeviceRule;

/// `BPF_LDX|BPF_MEM|BPF_W`: destination = a word of what the source points to.
const LOAD: u8 = 0x61;
/// `BPF_ALU|BPF_MOV|BPF_K`
const SET: u8 = 0xb4;
/// `BPF_ALU|BPF_MOV|BPF_X`
const COPY: u8 = 0xbc;
/// `BPF_ALU|BPF_AND|BPF_K`
const AND: u8 = 0x54;
/// `BPF_ALU|BPF_RSH|BPF_K`
const SHIFT_RIGHT: u8 = 0x74;
/// `BPF_JMP32|BPF_JNE|BPF_K`; jumps when they differ.
const UNLESS_EQUAL: u8 = 0x56;
/// `BPF_JMP32|BPF_JEQ|BPF_K`
const IF_EQUAL: u8 = 0x16;
/// `BPF_JMP|BPF_EXIT`: returns the answer.
const EXIT: u8 = 0x95;

/// Registers: the answer, the context that the kernel hands in, and what is read from it.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// Mknod, read and write.
const ALL_ACCESS: u32 = 7;

/// The program: it returns 1 for a use that is allowed, 0 for one that is not. An instruction is eight bytes (linux/bpf.h).
///
/// Rules are tried from the last to the first. One that allows takes what it names away from what is asked for, and when
/// nothing is left of that the use is allowed; one that denies something that is still asked for ends it.
pub fn device_program(rules: &[DeviceRule]) -> Vec<u64> {
    // `struct bpf_cgroup_dev_ctx`: the access in the upper and the kind in the lower half of a word, major, minor.
    let mut program = vec![
        instruction(LOAD, KIND, CONTEXT, 0, 0),
        instruction(AND, KIND, 0, 0, 0xffff),
        instruction(LOAD, ACCESS, CONTEXT, 0, 0),
        instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        instruction(LOAD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD, MINOR, CONTEXT, 8, 0),
    ];
    for rule in rules.iter().rev() {
        program.extend(rule_code(rule));
        if decides_everything(rule) {
            // The kernel's verifier refuses what can never be reached.
            return program;
        }
    }
    program.extend(answer(false));
    program
}

fn decides_everything(rule: &DeviceRule) -> bool {
    let is_every_device = rule.kind.is_none() && rule.major.is_none() && rule.minor.is_none();
    is_every_device && rule.access_bits() == ALL_ACCESS
}

/// Ends behind itself when the device is another one, or something of what is asked for is left to decide.
fn rule_code(rule: &DeviceRule) -> Vec<u64> {
    let bits = rule.access_bits();
    let is_partial = bits != ALL_ACCESS;
    let mut verdict = Vec::new();
    if is_partial && rule.allow {
        verdict.push(instruction(AND, ACCESS, 0, 0, !bits as i32));
        verdict.push(instruction(UNLESS_EQUAL, ACCESS, 0, 2, 0));
    } else if is_partial {
        verdict.push(instruction(COPY, ANSWER, ACCESS, 0, 0));
        verdict.push(instruction(AND, ANSWER, 0, 0, bits as i32));
        verdict.push(instruction(IF_EQUAL, ANSWER, 0, 2, 0));
    }
    verdict.extend(answer(rule.allow));
    let mut code = Vec::new();
    // BPF_DEVCG_DEV_BLOCK is 1, BPF_DEVCG_DEV_CHAR 2.
    let kind = rule.kind.map(|kind| if kind == 'b' { 1 } else { 2 });
    let tests = [(KIND, kind), (MAJOR, rule.major), (MINOR, rule.minor)];
    let tests: Vec<(u8, u32)> =
        tests.iter().filter_map(|(register, value)| value.map(|value| (*register, value))).collect();
    for (index, (register, value)) in tests.iter().enumerate() {
        let behind = tests.len() - index - 1 + verdict.len();
        code.push(instruction(UNLESS_EQUAL, *register, 0, behind as i16, *value as i32));
    }
    code.extend(verdict);
    code
}

fn answer(allow: bool) -> [u64; 2] {
    [instruction(SET, ANSWER, 0, 0, i32::from(allow)), u64::from(EXIT)]
}

fn instruction(code: u8, destination: u8, source: u8, offset: i16, immediate: i32) -> u64 {
    u64::from_le_bytes({
        let [low, high] = offset.to_le_bytes();
        let [first, second, third, fourth] = immediate.to_le_bytes();
        [code, destination | source << 4, low, high, first, second, third, fourth]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::default_device_rules;

    /// What is asked for: kind (1 block, 2 character), access, major, minor.
    type Use = (u32, u32, u32, u32);

    /// The few instructions that the compiler uses, as the kernel carries them out.
    fn run(program: &[u64], (kind, access, major, minor): Use) -> bool {
        let context = [access << 16 | kind, major, minor];
        let (mut registers, mut at) = ([0u32; 6], 0usize);
        loop {
            let [code, both, low, high, immediate @ ..] = program[at].to_le_bytes();
            let (to, from) = (usize::from(both & 15), usize::from(both >> 4));
            let offset = i16::from_le_bytes([low, high]) as usize;
            let value = u32::from_le_bytes(immediate);
            at += 1;
            match code {
                LOAD => registers[to] = context[offset / 4],
                SET => registers[to] = value,
                COPY => registers[to] = registers[from],
                AND => registers[to] &= value,
                SHIFT_RIGHT => registers[to] >>= value,
                UNLESS_EQUAL if registers[to] != value => at += offset,
                IF_EQUAL if registers[to] == value => at += offset,
                UNLESS_EQUAL | IF_EQUAL => {}
                EXIT => return registers[0] == 1,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    /// The rule in so many words: every access by itself, the last rule that names it.
    fn meaning(rules: &[DeviceRule], (kind, access, major, minor): Use) -> bool {
        let is_this = |rule: &&DeviceRule| {
            rule.kind.is_none_or(|own| (own == 'b') == (kind == 1))
                && rule.major.is_none_or(|own| own == major)
                && rule.minor.is_none_or(|own| own == minor)
        };
        [1, 2, 4].iter().filter(|bit| access & **bit != 0).all(|bit| {
            let mut fitting = rules.iter().filter(is_this).filter(|rule| rule.access_bits() & bit != 0);
            fitting.next_back().is_some_and(|rule| rule.allow)
        })
    }

    #[test]
    fn programs_mean_what_rules_say() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |bound: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % bound
        };
        for _ in 0..2000 {
            let count = below(8);
            let rules: Vec<DeviceRule> = (0..count)
                .map(|_| DeviceRule {
                    allow: below(2) == 0,
                    kind: [None, Some('b'), Some('c')][below(3) as usize],
                    major: [None, Some(1), Some(2)][below(3) as usize],
                    minor: [None, Some(3), Some(4)][below(3) as usize],
                    access: ["", "r", "w", "m", "rw", "rm", "rwm"][below(7) as usize].into(),
                })
                .collect();
            let program = device_program(&rules);
            for number in 0..64u32 {
                let wanted = (1 + number % 2, 1 + below(7) as u32, 1 + number / 2 % 2, 3 + number / 4 % 2);
                assert_eq!(run(&program, wanted), meaning(&rules, wanted), "{rules:#?} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_read_and_a_write_rule_together_allow_both() {
        let part =
            |allow, access: &str| DeviceRule { allow, access: access.into(), ..DeviceRule::character(1, 3) };
        let (read_write, null) = (6, |access| (2, access, 1, 3));
        assert!(run(&device_program(&[part(true, "r"), part(true, "w")]), null(read_write)));
        assert!(!run(&device_program(&[part(true, "rw"), part(false, "w")]), null(read_write)));
        assert!(run(&device_program(&[part(true, "rw"), part(false, "w")]), null(2)));
    }

    #[test]
    fn the_default_rules() {
        let program = device_program(&default_device_rules());
        assert!(run(&program, (2, 7, 1, 3)) && run(&program, (2, 7, 136, 77)) && run(&program, (1, 1, 8, 0)));
        assert!(!run(&program, (1, 2, 8, 0)) && !run(&program, (2, 2, 1, 1)));
        insta::assert_snapshot!(program.iter().map(|one| format!("{one:016x}\n")).collect::<String>());
    }
}

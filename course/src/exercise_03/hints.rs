//! Table: what helps: where to read, what a failure comes from, and what to write.

use crate::exercise::{Hint, hint};

const PLAN: &str = "The plan";
const SWAP: &str = "Memory and swap";
const CPU: &str = "Processor time";
const MAKING: &str = "Making the group";
const PASSING: &str = "Controllers come from above";
const STEPS: &str = "The steps";
const END: &str = "How it ends";

/// By the names that the checks' failures have.
pub const HINTS: &[Hint] = &[
    hint(
        "a-hole",
        PLAN,
        "this function is still a hole, and everything after it waits for it",
        "`cargo course start` in another folder lists the holes in the page's order",
    ),
    hint(
        "not-our-fault",
        "Exercises",
        "the checks themselves met an error, or this machine forbids something",
        "cargo course doctor",
    ),
    hint(
        "plan-what-is-said",
        PLAN,
        "each limit that is said becomes one step, a file and its value, in the order of the controllers",
        "return write(file, value) for each limit that is there, and nothing for the others",
    ),
    hint(
        "zero-is-not-said",
        PLAN,
        "in the runtime specification a limit of 0 means that nobody said one; so does an empty list of processors",
        "filter 0 and the empty text out before you plan: .filter(|value| *value != 0)",
    ),
    hint(
        "minus-one-is-no-limit",
        PLAN,
        "-1 is a limit that somebody said: there shall be none; version 2 calls that `max`",
        "in memory and pids: or_max(value); in cpu: `max` in the place of a quota that is not above 0; in swap: -1 for (-1, 0) and for (_, -1)",
    ),
    hint(
        "swap-is-a-difference",
        SWAP,
        "`memory_swap` counts memory and swap together, and memory.swap.max is swap alone",
        "in swap: both - memory; equal numbers are a limit of 0, which is written",
    ),
    hint(
        "what-is-true-anyway",
        SWAP,
        "a kernel without swap has no memory.swap.max; then \"none\" and \"no limit\" are true anyway, and only a number must be refused; where there is such a file, a swap of 0 is written like any other",
        "in memory: otherwise is Otherwise::Refuse where bytes > 0, and Otherwise::PassOver elsewhere",
    ),
    hint(
        "refuse-senseless-swap",
        SWAP,
        "both together without memory, or below memory, cannot be split; a limit that cannot be set is an error",
        "in swap: Err for (..=0, _), and where both < memory",
    ),
    hint(
        "a-straight-line",
        CPU,
        "shares go from 2 to 262144 and weights from 1 to 10000, and both ends meet; what is outside counts as the end",
        "in weight: 1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142",
    ),
    hint(
        "quota-and-period",
        CPU,
        "cpu.max has both numbers in one line: the quota or `max`, and the period, which is 100000 where nobody says one",
        "in cpu: one step where either of them is said",
    ),
    hint(
        "the-kernels-order",
        CPU,
        "the kernel refuses a weight of a group that is idle, and a burst above the quota that is set",
        "in cpu: cpu.idle first, then cpu.weight unless it is idle, then cpu.max, and cpu.max.burst last",
    ),
    hint(
        "folders-from-the-top",
        MAKING,
        "mkdir makes one folder; the ones above must be there, at the path below the mount point",
        "in make: mkdir; on ENOENT make the parent, and again; in create: make_folders, then Cgroup::open",
    ),
    hint(
        "take-back-what-was-made",
        MAKING,
        "create failed half-way, and what it had made is still there, or something that it had not made is gone",
        "in make: push a folder to `made` only when mkdir made it; in create: on an error go through `made` backwards with files::remove_if_empty",
    ),
    hint(
        "who-was-given-nothing",
        MAKING,
        "an ordinary user whom nobody gave a group gets one without folders, and is told how to be given one; who was given a group has it",
        "first in create: if !geteuid().is_root() && delegation::gives_nothing(layout), return delegation::without_group(layout, limits)",
    ),
    hint(
        "name-the-call",
        STEPS,
        "the kernel's answer to a write is about one file and one value, and the error must say which",
        "in create: carry_out each step and return its error as it is",
    ),
    hint(
        "pass-on-from-the-top",
        PASSING,
        "a controller reaches a group only if every group above passes it on, and a group can pass on only what reached it",
        "in pass_on: from `top` down to `above`, write what is missing to cgroup.subtree_control, and leave none out",
    ),
    hint(
        "write-what-is-planned",
        STEPS,
        "the group is there, and its files do not have the limits",
        "in create: steps.iter().try_for_each(|step| carry_out(&cgroup, step)); in try_write: the whole value, by one write",
    ),
    hint(
        "only-what-is-there",
        STEPS,
        "who opens with O_CREAT asks the kernel to make a file in a hierarchy of its own, which it refuses for another reason than that there is none",
        "in try_write: open with O_WRONLY alone, so that a missing file is ENOENT",
    ),
    hint(
        "kill-by-one-write",
        END,
        "a list of processes is out of date when it is read, and does not have those of the groups below",
        "in Cgroup::kill: write 1 to cgroup.kill of the folder of v2",
    ),
    hint(
        "those-below-first",
        END,
        "rmdir says EBUSY while there is a group below; the container may have made some; the group above is not ours to remove here",
        "in remove: on EBUSY remove each folder inside, then try again until the deadline",
    ),
    hint(
        "busy-for-a-moment",
        END,
        "a process that is ending is still in the group, and rmdir says EBUSY until it is gone; to remove a group ends nobody",
        "in remove: on EBUSY try again until the deadline, whether there are groups below or not",
    ),
];

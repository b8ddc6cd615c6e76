//! Table: what helps: where to read, what a failure comes from, and what to write.

use crate::exercise::{Hint, hint};

const NAMESPACES: &str = "The namespaces";
const ROOT: &str = "The root";
const TWO: &str = "In one process, or in two";
const SAID: &str = "What is said";
const PARENT: &str = "The parent";
const WHICH: &str = "Which process";
const INSIDE: &str = "Inside";
const FOLDER: &str = "A folder for each";
const CREATE: &str = "create";
const KILL: &str = "kill";
const DELETE: &str = "delete";
const MORE: &str = "One more process";

/// By the names that the checks' failures have.
pub const HINTS: &[Hint] = &[
    hint(
        "a-hole",
        "The plan",
        "this function is still a hole, and everything after it waits for it",
        "`cargo course start` in another folder lists the holes in the order of the pages",
    ),
    hint(
        "not-our-fault",
        "Exercises",
        "the checks themselves met an error, or this machine forbids something",
        "cargo course doctor",
    ),
    hint(
        "as-far-as-the-gate",
        PARENT,
        "`create` did not get as far as a process that is ready; its message says where it stopped",
        "in create_with_gate: layout_for, plan, Cgroup::create where the bundle has one, spawn; what spawn returns is the result, with the group in it",
    ),
    hint(
        "say-then-wait",
        SAID,
        "the child says first that it is ready, then waits for one byte; who is not told that it is ready waits for ever, and who does not wait begins before the start",
        "in say_and_wait: retried write of the one byte to report, then retried read of one from start",
    ),
    hint(
        "nobody-is-left",
        SAID,
        "a read that returns nothing is the end of the file: whoever should have said `go on` is gone",
        "in say_and_wait: true only where the read gave Ok(1)",
    ),
    hint(
        "two-fifos",
        TWO,
        "what `create` and `start` have in common are names in the container's folder; the child reads from `start`, and holds both ends",
        "in named: mkfifo of report and of UNFINISHED, which finish_named renames; the gate's two with O_RDWR, the keeper's with O_RDONLY and O_WRONLY",
    ),
    hint(
        "nobody-reads",
        TWO,
        "to open a FIFO for writing waits for a reader, and there will be none: the child has executed its command or is dead",
        "in open_named: both with O_NONBLOCK; ENXIO of start is Ok(None)",
    ),
    hint(
        "until-the-end",
        SAID,
        "`start` has done its work when the report ends, which execve(2) or the child's death does; what came before that is told",
        "in Keeper::start: go_on, read until 0, leave out a READY in front, and make an error of the JSON that is left",
    ),
    hint(
        "its-number",
        CREATE,
        "whoever calls may have asked for the process's number in a file, and reads it when `create` or `run` has made it",
        "in Making::make: self.exchange.tell(created.identity)? after create_with_gate",
    ),
    hint(
        "recorded-first",
        CREATE,
        "a process that is recorded when it is ready has lived before without a record; a kill in between leaves it to nobody",
        "in Making::make: set record.process and write the entry in the closure that create_with_gate takes",
    ),
    hint(
        "closed-before-the-wait",
        INSIDE,
        "close-on-exec is too late for a child that waits: whatever its maker had open is held meanwhile",
        "in take_descriptors: kernel::close_from(first, &kept), with first behind the promised ones",
    ),
    hint(
        "closed-by-execve",
        INSIDE,
        "the pipes that were kept are the command's now, and whoever waits for their end waits for the command's",
        "in take_descriptors: kernel::close_on_exec_from(first), at the end",
    ),
    hint(
        "last-words",
        INSIDE,
        "the child's error goes through a pipe of chapter 02, which has to be open until the command is found",
        "in take_descriptors: kept begins with says, then report and start",
    ),
    hint(
        "a-terminal",
        INSIDE,
        "a terminal is made by the child, in the container's own devpts, and its master goes through the socket",
        "in take_descriptors: for Stdio::Terminal with a socket terminal::set_up(socket, *size, self.process.console)",
    ),
    hint(
        "in-front-of-a-terminal",
        MORE,
        "whoever asks for a terminal and names no socket for it sits in front of it: the master must come to us from the child",
        "in exec: let (stdio, console) = with_console(stdio)?, and console goes into wait_until_ready",
    ),
    hint(
        "its-own-streams",
        INSIDE,
        "three files become 0, 1 and 2, each its own",
        "in take_descriptors: for Stdio::Files terminal::become_standard_streams([stdin, stdout, stderr])",
    ),
    hint(
        "nothing-is-left",
        PARENT,
        "whoever makes a group and then fails has to take it back",
        "in create_with_gate: where spawn fails, end_cgroup, and then its error",
    ),
    hint(
        "the-group-first",
        PARENT,
        "the process is born in its group, which has its limits before",
        "in create_with_gate: Cgroup::create(&layout, path, &plan.limits) before spawn, which is given the group",
    ),
    hint(
        "made-or-joined",
        NAMESPACES,
        "each entry is a namespace that is made or, with a path, joined; an empty path is none",
        "in take_namespaces: plan.new |= kind, or plan.join.push(Join { kind, path }), and those of a user namespace to the front",
    ),
    hint(
        "the-owner-first",
        NAMESPACES,
        "a namespace is joined by who has rights over it, which come from the user namespace that owns it; so that one is joined before",
        "in take_namespaces: plan.join.sort_by_key, with Namespaces::USER in front",
    ),
    hint(
        "the-machine-is-asked",
        PARENT,
        "a plan is made of the file alone; whether the machine has what it names is asked separately, and before anything is made",
        "in create_with_gate: planned(bundle, &layout, &state), which calls plan",
    ),
    hint(
        "each-once",
        NAMESPACES,
        "a container is in one namespace of a kind, so a list with two of them contradicts itself",
        "in take_namespaces: refuse a kind that plan.new contains or plan.join has",
    ),
    hint(
        "options-win",
        ROOT,
        "`bind` or `rbind` among the options makes it a bind whatever its type is, and the type alone does, too; only with rbind comes what is mounted beneath",
        "in what: has(\"bind\") || has(\"rbind\") || fstype == \"bind\" first, with recursive: has(\"rbind\")",
    ),
    hint(
        "beside-the-file",
        ROOT,
        "a bind's source that is relative lies beside config.json, not where the runtime happens to be called",
        "in what: What::Bind with source: bundle.join(source)",
    ),
    hint(
        "a-source-or-its-type",
        ROOT,
        "a file system's source is a name that people read; without one the type stands there",
        "in what: if source.is_empty() { fstype.clone() } else { source }",
    ),
    hint(
        "neither-nor",
        ROOT,
        "a mount without a type that is no bind cannot be made, and whoever wrote the file must be told so before anything is",
        "in what: Error::invalid with the destination, where fstype is empty",
    ),
    hint(
        "a-remount-is-none",
        ROOT,
        "a remount mounts nothing, and has no type: it changes the options of what is there",
        "in what: What::Remount where has(\"remount\"), before anything else is asked: also with bind it is no bind",
    ),
    hint(
        "asked-each-time",
        FOLDER,
        "what is written down is wrong as soon as somebody is killed: the status is asked of the record, the process, the names and the group, in this order",
        "in status: Creating without a process; Stopped; Creating by UNFINISHED; Created by `start`; Paused; else Running",
    ),
    hint(
        "a-zombie-has-ended",
        FOLDER,
        "a process whose code nobody has asked for still has a number and a pidfd",
        "in status: a pidfd for which has_ended is true is not alive",
    ),
    hint(
        "number-and-time",
        WHICH,
        "the number was given to another process, and it alone is no name",
        "in Identity::open: after pidfd_open, Identity::of(self.pid) must still be self; otherwise Ok(None)",
    ),
    hint(
        "gone-is-no-error",
        WHICH,
        "a number that nobody has is a process that has ended; that is an answer, and no failure",
        "in Identity::open: ESRCH is Ok(None)",
    ),
    hint(
        "signal-by-pidfd",
        KILL,
        "the signal goes to the process of the record, by a descriptor that is its own",
        "in Kill::run: signals::parse, entry.process()?.open()?, kernel::pidfd_send_signal",
    ),
    hint(
        "one-at-a-time",
        KILL,
        "another command may be changing the container; who does not wait for its lock acts on what is true no more",
        "in Kill::run: store.open, which locks",
    ),
    hint(
        "who-has-ended",
        KILL,
        "to send a signal to a zombie succeeds and does nothing, and the caller is told that it was done; who waits for its start can be killed, as can who runs",
        "in Kill::run: refuse Stopped and Creating with `container not running`",
    ),
    hint(
        "to-all-of-them",
        KILL,
        "--all is for every process of the group, also where the first has ended",
        "in Kill::run: kill_all(&entry, number) before the status is asked",
    ),
    hint(
        "frozen-to-the-end",
        KILL,
        "who stands still does not end; version 2 makes an exception for SIGKILL, version 1 does not",
        "in Kill::run and in destroy: let_end of the group after SIGKILL",
    ),
    hint(
        "by-force-alone",
        DELETE,
        "what runs is deleted with --force alone; what `delete` asks is the status",
        "in status: Running where nothing else is true; then Delete::run refuses",
    ),
    hint(
        "until-it-has-ended",
        DELETE,
        "SIGKILL is sent in no time, and the end takes as long as the kernel needs for it",
        "in destroy: end_first, let_end, and wait for the pidfd before the group goes",
    ),
    hint(
        "the-group-ends-the-rest",
        DELETE,
        "the first process ends its PID namespace, if it has one; all others are found in the group alone",
        "in destroy: end_cgroup of the group, also where the first process has ended",
    ),
    hint(
        "joined-by-two",
        MORE,
        "a process does not change its own PID namespace: what it joins is where its children are born; the user namespace gives the right to it",
        "in exec: join(&pidfd, by_parent) before spawn, and the rest in the closure that enters",
    ),
    hint(
        "as-the-container-is",
        MORE,
        "one more process is planned as the first was; what its caller promised and what the container has become is known here alone",
        "in exec: added_process(addition), which calls process_plan",
    ),
    hint(
        "nobody-looks-in",
        MORE,
        "from its first instruction the new process is one of the container's, and still our executable; what is not dumpable cannot be looked into",
        "in exec: set_dumpable(NotDumpable) before the join",
    ),
    hint(
        "open-again",
        MORE,
        "what is not dumpable is closed to its own user, too, and stays so until it is told otherwise",
        "in exec: set_dumpable(Dumpable) after spawn",
    ),
    hint(
        "into-the-group",
        MORE,
        "who is not put into the container's group has no limits, and is not found when it ends",
        "in exec: open_cgroup; its unified_fd for spawn, and placed in before_release",
    ),
];

//! Table: what helps: where to read, what a failure comes from, and what to write.

use crate::exercise::{Hint, hint};

const PIPES: &str = "Two processes and two pipes";
const CLONE: &str = "One clone3";
const PARENT: &str = "The parent's side";
const CHILD: &str = "The child's side";
const CALLER: &str = "What the caller gets";

/// By the names that the checks' failures have.
pub const HINTS: &[Hint] = &[
    hint(
        "a-hole",
        PIPES,
        "this function is still a hole, and everything after it waits for it",
        "`cargo course start` in another folder lists the holes in the page's order",
    ),
    hint(
        "not-begun",
        PIPES,
        "`spawn` never came to `before_release`, which runs in the parent while the child waits",
        "in release_when_ready: call before_release(pid) after the maps are written and before the byte is sent",
    ),
    hint(
        "not-our-fault",
        "Exercises",
        "the checks themselves met an error, or this machine forbids something",
        "cargo course doctor",
    ),
    hint(
        "release",
        CHILD,
        "the child runs its closure when it has read one byte from its pipe, and has entered its namespaces without an error; it did not come so far. An error on the way stands above, if become_inner has written it into the pipe",
        "in become_inner: wait_for_release, then inner::enter(plan), then the closure; and in release_when_ready: the byte, last",
    ),
    hint(
        "inside-first",
        "Who is who",
        "a line of a map reads: the first id INSIDE, the first id OUTSIDE, how many; the kernel refuses ids that are not the caller's to give",
        "in map_text: \"{} {} {}\\n\" of inside, outside and count of each range",
    ),
    hint(
        "maps-only-of-a-new-user",
        PARENT,
        "this plan makes no user namespace, so the child is in its caller's, whose maps were written long ago: the kernel refuses a second time",
        "first in write_maps: if plan.new does not contain Namespaces::USER, return Ok(())",
    ),
    hint(
        "flags-from-the-plan",
        CLONE,
        "the flags of clone3 are the bits of `plan.new`, and no others: bits() of Namespaces are those of clone(2)",
        "in clone: CloneFlags::from_bits_retain of the bits of plan.new, without TIME and CGROUP",
    ),
    hint(
        "pid-by-the-clone",
        CLONE,
        "a process never changes its PID namespace: only a child is born into a new one",
        "in clone: PID must be among the flags of clone3 itself; take away TIME and CGROUP alone",
    ),
    hint(
        "cgroup-by-the-child",
        CLONE,
        "a cgroup namespace has its root in the groups in which its maker is at that time; the parent may move the child until the release, so the child makes it after that",
        "in clone: leave CGROUP out of the flags; in enter: unshare(CloneFlags::CLONE_NEWCGROUP) where the plan names it",
    ),
    hint(
        "the-usher",
        CLONE,
        "what clone3 makes belongs to its caller's user namespace; beside one that is joined, a process that is in it must make the child",
        "in clone, when the flags are known: if plan.needs_usher(), return crate::usher::make(plan, flags, cgroup)",
    ),
    hint(
        "into-the-cgroup",
        CLONE,
        "the child was to be born in the group whose descriptor `spawn` was given, and is elsewhere",
        "in clone: CloneArgs { flags, cgroup }, with the `cgroup` that spawn hands on",
    ),
    hint(
        "time-for-children",
        CLONE,
        "the time namespace is left out of the clone, since nobody sets the clocks of one in which there is a process",
        "in enter: clocks::enter_time_namespace(plan) where the plan names TIME and USER; in spawn: inner::before_clone(plan) makes it for the child where there is no USER",
    ),
    hint(
        "offsets-before-anybody",
        CLONE,
        "the clocks of a time namespace can be set only until the first process is in it, so clone3 must not make it: there would be one at once",
        "in clone: leave TIME out of the flags; in enter: clocks::enter_time_namespace(plan), which makes it, writes the offsets and enters it",
    ),
    hint(
        "into-its-own-clocks",
        CHILD,
        "unshare(2) makes a time namespace for the children to come; the child itself must enter it, before Linux 6.2 also so that its command is in it",
        "in enter: clocks::enter_time_namespace(plan), and not make_time_namespace, which is for the parent",
    ),
    hint(
        "clocks-before-another-user",
        CHILD,
        "the child may not write its own offsets (EACCES): a process that has taken another user does not own its files in /proc any more",
        "in enter: clocks::enter_time_namespace(plan) before become_root",
    ),
    hint(
        "before-the-clone",
        PIPES,
        "what holds only for processes that are made afterwards (a PID namespace that is joined, clocks where there is no new user namespace) must be done by the parent before the child is there",
        "in spawn: inner::before_clone(plan)? before clone(plan, cgroup)?",
    ),
    hint(
        "join-by-path",
        CHILD,
        "a namespace that the plan joins is entered by the child, by setns(2), before anything else: names that are set earlier are given to another",
        "first in enter: join(plan)?",
    ),
    hint(
        "joined-is-not-new",
        CHILD,
        "a namespace that is joined is somebody else's, who has made it as it is: what belongs to a new one (a cgroup namespace that begins here, a loopback device that is up) is not done to it",
        "in enter: ask plan.new.contains(Namespaces::CGROUP) and plan.new.contains(Namespaces::NET); plan.has(…) is true of what is joined, too",
    ),
    hint(
        "setgroups-first",
        PARENT,
        "an ordinary user gives up setgroups(2) before the group map is written; the kernel has refused gid_map otherwise since CVE-2014-8989",
        "in write_maps: \"deny\" into /proc/PID/setgroups, after uid_map and before gid_map, unless geteuid().is_root()",
    ),
    hint(
        "setgroups-of-root",
        PARENT,
        "root keeps setgroups(2), which what it starts may need: only a caller who is not root must give it up",
        "in write_maps: write \"deny\" only if !geteuid().is_root()",
    ),
    hint(
        "the-helpers",
        PARENT,
        "an ordinary user may write one line with one id, their own; for more there are newuidmap and newgidmap, which look into /etc/subuid and /etc/subgid",
        "in write_maps, after the question for USER: unless geteuid().is_root() or plan.maps_only(user, group), return what ranges::write_by_helpers says, which is given the map of users and that of groups",
    ),
    hint(
        "who-writes-the-maps",
        PARENT,
        "root writes every map itself, and an ordinary user a map of their own two ids; newuidmap and newgidmap are for an ordinary user's other maps alone. The files are the child's: /proc/PID/uid_map of the number that write_maps is given",
        "in write_maps: only if !geteuid().is_root() and !plan.maps_only(user, group), with geteuid() and getegid(), return ranges::write_by_helpers; otherwise write into /proc/{pid}/uid_map, setgroups and gid_map",
    ),
    hint(
        "become-root",
        CHILD,
        "after the release the child takes group 0 and then user 0 of its new user namespace; where the map leaves the caller out, it is nobody until then",
        "in enter: become_root()? where the plan names USER; in become_root: all three ids of the group, then of the user",
    ),
    hint(
        "only-a-new-root",
        CHILD,
        "in its caller's own user namespace the child stays who it is",
        "in enter: become_root()? only if plan.new contains Namespaces::USER",
    ),
    hint(
        "your-own-child",
        CALLER,
        "the number and the descriptor are those which clone3 has returned to the parent",
        "in spawn: Child::new(plan, pid, pidfd, …) with what Cloned::Parent holds",
    ),
    hint(
        "names-in-the-child",
        CHILD,
        "the names belong to the child's UTS namespace",
        "in enter, which the child runs: take_names(plan)?, which sets the host and the domain name",
    ),
    hint(
        "empty-names",
        CHILD,
        "an empty name asks for nothing: inside, the names stay what the caller's are",
        "in take_names: .filter(|name| !name.is_empty()) of each",
    ),
    hint(
        "loopback-up",
        CHILD,
        "a new network has one device, which is down",
        "in enter: bring_loopback_up() where the plan names NET, with `.map_err(|error| Error::call(…, error))`",
    ),
    hint(
        "maps-before-release",
        PARENT,
        "`before_release` must find the maps written, and what it or a map says must end `spawn`",
        "in release_when_ready: write_maps, then before_release, then the byte; the first error is returned",
    ),
    hint(
        "release-last",
        PARENT,
        "the byte is the last thing that the parent does, and to read it the first that the child does; reading blocks until there is a byte or nobody can write any more",
        "in release_when_ready: write_all(&[1]) at the end; in become_inner: wait_for_release at the beginning",
    ),
    hint(
        "the-byte-may-be-lost",
        PARENT,
        "the child was killed while it waited, so nobody reads the byte, and write(2) says EPIPE; that is no failure of `spawn`: whoever has the child sees how it has ended",
        "in release_when_ready: `let _ =` before the write of the byte, and Ok(()) after it",
    ),
    hint(
        "close-the-other-end",
        PIPES,
        "the parent has kept a copy of the end by which the child speaks, so the pipe never ends",
        "in the parent's arm of spawn: drop the end from which the child reads, and the end into which it writes",
    ),
    hint(
        "close-on-exec",
        PIPES,
        "the program has inherited the pipe, so the pipe ends only when the program does",
        "in pipe: pipe2(OFlag::O_CLOEXEC), so that execve closes it",
    ),
    hint(
        "wait-for-it",
        PARENT,
        "a child that ends stays as a zombie until its parent waits for it",
        "in release_when_ready, when something fails: drop the pipe, then waitpid(pid, None), then return the error",
    ),
    hint(
        "nobody-elses-end",
        PARENT,
        "a parent who waits for any child takes the end of whichever has ended first, and that may be one of which somebody else wants to know",
        "in release_when_ready, when something fails: waitpid(pid, None), of the child that was just made and no other",
    ),
    hint(
        "the-error-itself",
        PARENT,
        "an error of `before_release` has a kind, on which the caller acts: a new error of the same words has lost it",
        "in release_when_ready: return the error that write_maps or before_release gave, as it is",
    ),
    hint(
        "drop-before-waiting",
        PARENT,
        "the parent waits for the child to end, and the child waits for a byte or the end of its pipe, which the parent holds open",
        "in release_when_ready, when something fails: drop your end of the pipe first, and only then waitpid",
    ),
    hint(
        "end-without-the-byte",
        CHILD,
        "the end of the file without a byte means that the parent has given up: the child ends, and runs nothing",
        "in wait_for_release: unless the read gives Ok(1), kernel::exit_now(1)",
    ),
    hint(
        "child-keeps-release",
        PIPES,
        "the child has kept a copy of the end by which it is released, so its pipe never ends",
        "in the child's arm of spawn: drop the end by which it is released, and the end from which its last words are read",
    ),
    hint(
        "only-its-own-end",
        PIPES,
        "each side closes what is the other's: in its closure the child holds nothing of the two pipes but the end for its last words, and a caller who has its `Child` nothing but the other end of that one",
        "in the child's arm of spawn: drop the end by which it is released, and the end from which its last words are read; the end that is read for the byte goes with the function that reads it; in the parent's arm: drop the end from which the child reads, and the end into which it writes",
    ),
    hint(
        "exit-now",
        CHILD,
        "what the caller had not yet written to standard output was copied into the child by the clone; `std::process::exit` writes it out there, so it appears twice",
        "in become_inner and in wait_for_release: kernel::exit_now(1), which does nothing but end the process",
    ),
    hint(
        "name-the-call",
        PARENT,
        "an error names the call, its arguments and the errno",
        "`.strace(|| …)` on the result of the call, and then `.map_err(|error| Error::call(…, error))`",
    ),
    hint(
        "words-into-the-pipe",
        CHILD,
        "a failure of `enter` or of the closure is written as JSON into the child's pipe, whole, and only then does the child end",
        "in become_inner: serde_json::to_vec of the failure, write_all into the pipe, kernel::exit_now(1)",
    ),
    hint(
        "code-of-a-failure",
        CHILD,
        "whoever waits for the child and has not read its words sees its code alone, and 0 says that all went well",
        "in become_inner, after the words: kernel::exit_now(1)",
    ),
    hint(
        "every-error-of-enter",
        CHILD,
        "a call on the way into the namespaces failed or was left out, and the child went on as if it had succeeded",
        "in enter: `?` after each of its calls; in take_names: each name that is there and not empty is set, whether or not the plan makes a UTS namespace; in become_root: the group's error counts as the user's does",
    ),
    hint(
        "kind-of-the-error",
        CHILD,
        "the kind of a failure is decided where the call fails, and whoever reads it acts on that: an error that comes out of `enter` has one already",
        "in become_inner: inner::enter(plan).map_err(Failure::from); in enter: every error with `?`",
    ),
    hint(
        "read-the-words",
        CALLER,
        "the end of the pipe is waited for, however much comes before it; nothing in it is success, anything else is a `Failure` in JSON, of the kind that was sent, or words that are told as they are",
        "in executed: read_to_end; if it is empty, Ok; otherwise Err of serde_json::from_slice, or, where that fails, of a Failure with the words themselves",
    ),
    hint(
        "advise",
        CALLER,
        "advice is for a failure of the kind PermissionDenied of a child that has a new user namespace, and for no other",
        "in executed: knobs::advised(failure) if both are so",
    ),
    hint(
        "advise-the-clone",
        CLONE,
        "clone3 was refused, and `Error::clone` is told whether a user namespace was asked for: only then can that setting be the cause",
        "in clone: .map_err(|error| Error::clone(error, new.contains(Namespaces::USER)))",
    ),
];

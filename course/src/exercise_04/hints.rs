//! Table: what helps: where to read, what a failure comes from, and what to write.

use crate::exercise::{Hint, hint};

const PIECES: &str = "Root in pieces";
const ORDER: &str = "The order";
const CEILING: &str = "Lowering the ceiling";
const USER: &str = "Becoming the user";
const SETS: &str = "The sets";
const COMPILER: &str = "The compiler";
const ARGUMENTS: &str = "Arguments";

/// By the names that the checks' failures have.
pub const HINTS: &[Hint] = &[
    hint(
        "a-hole",
        "The plan",
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
        "a-bit-for-each",
        PIECES,
        "a capability's number is its place in the list, and its bit in the set is 1 << number",
        "in from_names: position of the name, then `or` the bit in; in contains: self.0 >> number & 1 == 1",
    ),
    hint(
        "lower-the-ceiling",
        CEILING,
        "root gets at each execve what the bounding set has, whatever was cut from the other sets; each capability is dropped by itself, also those that our table does not name",
        "in drop_from_bounding: ask is_in_bounding_set from 0 until it returns None, and drop what is held and not in capabilities.bounding",
    ),
    hint(
        "cut-the-sets",
        SETS,
        "the sets after execve are not those of the plan, so they were not written, or not as they are there",
        "in set_capabilities: capset with effective, permitted and inheritable of the plan; call it after become_user",
    ),
    hint(
        "the-switch",
        ORDER,
        "no_new_privs is set when the plan says so, and at no other time",
        "in apply_and_hand_over: if plan.no_new_privs, set_no_new_privs at any place before load_filter",
    ),
    hint(
        "only-what-is-said",
        ORDER,
        "a plan without sets leaves those that the process has, and one without a filter loads none",
        "in apply_and_hand_over: drop_from_bounding and set_capabilities only `if let Some(capabilities)`",
    ),
    hint(
        "what-we-have-not",
        CEILING,
        "nobody can give what they have not: to ask for it is no error, it is left out",
        "in available: each of the five sets & capget()?.permitted",
    ),
    hint(
        "groups-first",
        USER,
        "who has become another user may no longer choose groups; and the further groups of root are not theirs",
        "in set_ids: set_thread_groups, then set_thread_res_gid, then set_thread_res_uid",
    ),
    hint(
        "lists-and-groups",
        USER,
        "an empty list takes every further group away, without a list they stay, and the group itself is set in each case",
        "in set_ids: set_thread_groups wherever additional_gids is some; set_thread_res_gid always",
    ),
    hint(
        "nobodys-number",
        USER,
        "4294967295 is -1 to setresuid and setresgid, and -1 leaves the id as it is: root's",
        "in become_user: if plan.has_impossible_id(), an Error::invalid before anything is set",
    ),
    hint(
        "the-ceiling-first",
        ORDER,
        "to lower the bounding set takes CAP_SETPCAP, and it was not effective any more: the user had changed, or the sets were cut",
        "in apply_and_hand_over: drop_from_bounding, then become_user, then set_capabilities",
    ),
    hint(
        "what-comes-along",
        "What comes along",
        "limits, the keyring and the umask are the plan's as well: some take a privilege, and a filter may refuse them",
        "in apply_and_hand_over: surroundings(plan)? as the first step",
    ),
    hint(
        "an-error-is-told",
        ORDER,
        "a step failed and the next ones were taken all the same: the program has more than the plan leaves it",
        "a `?` or map_err behind each call: of load_filter, set_thread_groups, and drop_from_bounding_set",
    ),
    hint(
        "all-three-ids",
        USER,
        "a process has a real, an effective and a saved id, and one that is left at 0 leads back",
        "in set_ids: the same id three times, for the group and for the user",
    ),
    hint(
        "keep-them-for-a-moment",
        USER,
        "when all user ids leave 0, the kernel empties the sets, and nothing is there to be written any more",
        "in become_user: set_keepcaps(true) before set_ids, where there are sets to cut",
    ),
    hint(
        "ambient-at-the-end",
        SETS,
        "what is ambient must be permitted and inheritable first; after execve it is all that another user has",
        "in set_capabilities: clear_ambient_set, capset, and then raise_ambient for each member, with its error",
    ),
    hint(
        "empty-it-first",
        SETS,
        "the caller has an ambient set, and what is permitted and inheritable stays in it",
        "in set_capabilities: clear_ambient_set as the first call",
    ),
    hint(
        "where-a-range-ends",
        COMPILER,
        "after a call that a rule names, the range of those that no rule names goes on",
        "in section: insert the verdict at its number, and the default at number + 1 unless something is there",
    ),
    hint(
        "the-first-that-holds",
        ARGUMENTS,
        "several rules of one call are alternatives, in their order; when none holds the default is the answer",
        "in verdicts_of: push (conditions, action); in leaf: each alternative, then the return of the last action",
    ),
    hint(
        "when-none-holds",
        COMPILER,
        "where the conditions of no rule hold, the call is like one that no rule names",
        "in verdicts_of: Verdict::ByArguments(Vec::new(), profile.default_action)",
    ),
    hint(
        "names-of-others",
        COMPILER,
        "an architecture does not have every call that a rule names: such a name is passed over, and those behind it count",
        "in verdicts_of: rule.names.iter().filter_map(|name| table.get(name.as_str()))",
    ),
    hint(
        "without-conditions-decides",
        COMPILER,
        "a rule without conditions is always true, so it decides wherever it stands; of two, the first",
        "in verdicts_of: put Verdict::Always in the place of alternatives, and leave one that is there",
    ),
    hint(
        "all-must-hold",
        ARGUMENTS,
        "one condition that fails must jump behind the return of its own alternative",
        "in alternative: from the last condition to the first, condition(one, wide, code.len()) before the code",
    ),
    hint(
        "an-architecture-by-itself",
        COMPILER,
        "each architecture has its own numbers, and only some have arguments of 64 bits",
        "in section: only the architectures of this audit number; tree(.., here().all(|arch| arch.is_wide()))",
    ),
    hint(
        "beyond-the-last",
        COMPILER,
        "a call above every number that a rule names is newer than the profile, and not simply unnamed",
        "in section: for each architecture, at last + 1 insert `beyond`, where the profile has it",
    ),
    hint(
        "a-door-beside",
        COMPILER,
        "x32 has the audit number of 64-bit x86, so one section judges both, by the numbers",
        "in section: start with unnamed(profile, audit), and insert each architecture's own `beyond`",
    ),
    hint(
        "every-path-returns",
        COMPILER,
        "the compiler did not end, or ended in a panic",
        "in tree: a single range is a leaf; the halves of two or more are never empty",
    ),
    hint(
        "a-jump-is-a-byte",
        COMPILER,
        "a conditional jump reaches 255 instructions; left.len() as u8 is another number beyond that",
        "in tree: where left.len() does not fit, jump over one instruction to an unconditional JUMP",
    ),
    hint(
        "halve-it",
        COMPILER,
        "the program is right, and searches from the front at every call that the container makes",
        "in tree: split_at(ranges.len() / 2), and one comparison with the first number of the upper half",
    ),
    hint(
        "neighbours-are-one",
        COMPILER,
        "a comparison between two calls that have the same verdict decides nothing",
        "in ranges: dedup_by(|next, before| next.1 == before.1)",
    ),
    hint(
        "the-whole-verdict",
        COMPILER,
        "two neighbours are one only if everything is the same, with all conditions and their values",
        "in ranges: next.1 == before.1, which compares conditions, too",
    ),
    hint(
        "the-filter-last",
        ORDER,
        "the filter refuses what we do ourselves after it was loaded",
        "in apply_and_hand_over: with no_new_privs, load_filter as the last step",
    ),
    hint(
        "without-the-switch",
        ORDER,
        "without no_new_privs it takes CAP_SYS_ADMIN to load a filter, and that is gone when the user has changed or the sets are cut",
        "in apply_and_hand_over: without no_new_privs, load_filter before anything is dropped",
    ),
    hint(
        "load-the-filter",
        ORDER,
        "the process has no filter, or two, or one that lets pass what the profile refuses",
        "in apply_and_hand_over: exactly one of the two places loads it",
    ),
    hint(
        "hand-the-listener-over",
        "The filter",
        "a filter that asks has a listener, and who asks for it gets it by hand_over",
        "in apply_and_hand_over: load_filter(plan, hand_over) in both places",
    ),
];

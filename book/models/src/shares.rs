//! Who gets how much of one processor, and whom the kernel kills when memory runs out, in a tree of cgroups
//! (admin-guide/cgroup-v2.rst, "Weights", "CPU" and "Memory"; kernel/sched/fair.c, mm/memcontrol.c).

/// A group of a tree. One that is the parent of another has no process itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The group above, by its place in the list, which comes earlier; none for the topmost ones.
    pub parent: Option<usize>,
    /// Its weight among its siblings.
    pub weight: u64,
    /// The most that it gets of the processor, in thousandths.
    pub quota: Option<u32>,
    /// Whether something in it wants to run without end.
    pub is_busy: bool,
}

/// What each group gets of the processor, in thousandths: weights count among those siblings that want to run, and what a quota
/// leaves is divided among the others in the same way.
pub fn shares(groups: &[Group]) -> Vec<u32> {
    let mut shares = vec![0.0; groups.len()];
    divide(groups, None, 1000.0, &mut shares);
    shares.into_iter().map(|share: f64| share.round() as u32).collect()
}

fn divide(groups: &[Group], parent: Option<usize>, whole: f64, shares: &mut [f64]) {
    let mut open: Vec<usize> =
        (0..groups.len()).filter(|one| groups[*one].parent == parent && wants(groups, *one) > 0.0).collect();
    let mut left = whole;
    // Whoever has less than a fair part in mind takes that, which makes the others' part larger.
    loop {
        let weights: u64 = open.iter().map(|one| groups[*one].weight).sum();
        let fair = |one: usize| left * groups[one].weight as f64 / weights as f64;
        let Some(at) = open.iter().position(|one| wants(groups, *one) <= fair(*one)) else {
            open.iter().for_each(|one| shares[*one] = fair(*one));
            break;
        };
        let one = open.remove(at);
        shares[one] = wants(groups, one);
        left -= shares[one];
    }
    for one in (0..groups.len()).filter(|one| groups[*one].parent == parent) {
        divide(groups, Some(one), shares[one], shares);
    }
}

/// The most that a group would take if it were alone.
fn wants(groups: &[Group], one: usize) -> f64 {
    let below: f64 = (one + 1..groups.len())
        .filter(|other| groups[*other].parent == Some(one))
        .map(|other| wants(groups, other))
        .sum();
    let own = if groups[one].is_busy { 1000.0 } else { 0.0 };
    let quota = groups[one].quota.map_or(1000.0, f64::from);
    f64::min(own + below, quota)
}

/// The memory of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The group above, as in [`Group`].
    pub parent: Option<usize>,
    /// `memory.max`
    pub limit: Option<u64>,
    /// What its one process holds; none where there is no process.
    pub held: Option<u64>,
}

/// When memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The group whose limit is met first: of the group of the process and those above it, the one with the least room.
    pub limit_of: usize,
    /// The group whose process is killed: it holds most of all that are in that group or below. The one that asks holds then what
    /// the others have left of the limit.
    pub killed: usize,
}

/// What happens when the process of a group takes more memory, page by page; none when there is room. There is no swap.
pub fn shortage(groups: &[Memory], one: usize, more: u64) -> Option<Shortage> {
    let held = |of: usize| groups[of].held.unwrap_or(0);
    let is_in = |of: usize, above: usize| ancestors(groups, of).any(|one| one == above);
    let used = |above: usize| (0..groups.len()).filter(|of| is_in(*of, above)).map(held).sum::<u64>();
    let room = |above: usize| groups[above].limit.map(|limit| limit.saturating_sub(used(above)));
    // Of two that leave the same room, the lower one is asked first.
    let limits = ancestors(groups, one).filter_map(|above| Some((room(above)?, above)));
    let (room, limit_of) = limits.filter(|(room, _)| *room < more).min_by_key(|(room, _)| *room)?;
    let holds = |of: &usize| held(*of) + if *of == one { room } else { 0 };
    let inside = (0..groups.len()).filter(|of| is_in(*of, limit_of) && groups[*of].held.is_some());
    inside.max_by_key(holds).map(|killed| Shortage { limit_of, killed })
}

/// A group and those above it.
fn ancestors(groups: &[Memory], one: usize) -> impl Iterator<Item = usize> + '_ {
    std::iter::successors(Some(one), |one| groups[*one].parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(parent: Option<usize>, weight: u64, quota: Option<u32>, is_busy: bool) -> Group {
        Group { parent, weight, quota, is_busy }
    }

    #[test]
    fn weights_count_among_those_who_want_to_run() {
        let tree = |second| {
            let inner = [group(Some(1), 100, None, true), group(Some(1), 300, None, second)];
            [vec![group(None, 100, None, true), group(None, 100, None, false)], inner.to_vec()].concat()
        };
        assert_eq!(shares(&tree(false)), [500, 500, 500, 0]);
        assert_eq!(shares(&tree(true)), [500, 500, 125, 375]);
    }

    #[test]
    fn what_a_quota_leaves_goes_to_the_others() {
        let tree = [
            group(None, 100, Some(100), true),
            group(None, 100, None, true),
            group(None, 200, Some(900), true),
        ];
        assert_eq!(shares(&tree), [100, 300, 600]);
        assert_eq!(shares(&[group(None, 1, Some(200), true)]), [200]);
        // The quota of a parent holds for all below.
        let below = [
            group(None, 100, Some(400), false),
            group(Some(0), 1, None, true),
            group(Some(0), 3, None, true),
        ];
        assert_eq!(shares(&below), [400, 100, 300]);
    }

    #[test]
    fn the_limit_that_is_met_first_decides_who_is_killed() {
        let memory = |parent, limit, held| Memory { parent, limit, held };
        let tree = |limit| {
            [memory(None, Some(100), None), memory(Some(0), None, Some(60)), memory(Some(0), limit, Some(20))]
        };
        assert_eq!(shortage(&tree(Some(35)), 2, 10), None);
        assert_eq!(shortage(&tree(Some(35)), 2, 70), Some(Shortage { limit_of: 2, killed: 2 }));
        // The limit above leaves less room, and the one that asks is not the one that holds most when it is met.
        assert_eq!(shortage(&tree(Some(45)), 2, 70), Some(Shortage { limit_of: 0, killed: 1 }));
    }
}

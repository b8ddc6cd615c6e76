//! Maps of ids.

use crate::Bytes;
use models::may_map;
use namespaces::{IdMap, map_text};

/// The text says the map and nothing else; and root may write it exactly when no id, inside or outside, is in two ranges, and
/// none is empty or goes beyond the last id.
pub fn law(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let maps: Vec<IdMap> = (0..bytes.below(5)).map(|_| range(&mut bytes)).collect();
    let text = map_text(&maps);
    let read = |line: &str| {
        let numbers: Vec<u32> = line.split(' ').map(|word| word.parse().expect("a number")).collect();
        IdMap { inside: numbers[0], outside: numbers[1], count: numbers[2] }
    };
    assert_eq!(text.lines().map(read).collect::<Vec<_>>(), maps);
    assert!(text.is_empty() || text.ends_with('\n'));
    let ranges: Vec<_> = maps.iter().map(|map| (map.inside, map.outside, map.count)).collect();
    let in_bounds =
        |first: u32, count: u32| count > 0 && u64::from(first) + u64::from(count) <= u64::from(u32::MAX);
    let apart = |of: fn(&IdMap) -> u32| {
        let overlap = |one: &IdMap, other: &IdMap| {
            let (one, other) = ((of(one), one.count), (of(other), other.count));
            u64::from(one.0) < u64::from(other.0) + u64::from(other.1)
                && u64::from(other.0) < u64::from(one.0) + u64::from(one.1)
        };
        maps.iter().enumerate().all(|(at, one)| maps[..at].iter().all(|other| !overlap(one, other)))
    };
    let is_map = !maps.is_empty()
        && maps.iter().all(|map| in_bounds(map.inside, map.count) && in_bounds(map.outside, map.count))
        && apart(|map| map.inside)
        && apart(|map| map.outside);
    assert_eq!(may_map(true, 0, &ranges).is_ok(), is_map, "{text}");
}

fn range(bytes: &mut Bytes<'_>) -> IdMap {
    let mut id = || match bytes.below(4) {
        0 => u32::from(bytes.byte()),
        1 => u32::MAX - u32::from(bytes.byte() & 3),
        2 => u32::from(bytes.byte()) << 16,
        _ => bytes.number() as u32,
    };
    IdMap { inside: id(), outside: id(), count: id() }
}

//! Which id maps the kernel takes, from root and from everybody.

use crate::observer;
use crate::random::Random;
use models::{MapRefused, Range, may_map};
use std::path::Path;

/// How many random maps are written.
const MAPS: u64 = 1_000;

pub fn id_maps_are_taken_as_the_model_says(_: &Path) {
    let own = nix::unistd::geteuid();
    let mut counts = [0; 3];
    let mut child = observer();
    for seed in 1..=MAPS {
        let ranges = ranges(&mut Random::new(seed), own.as_raw());
        let text: String =
            ranges.iter().map(|(inside, outside, count)| format!("{inside} {outside} {count}\n")).collect();
        let kernel = std::fs::write(format!("/proc/{}/uid_map", child.id()), &text);
        let kernel = kernel.map_err(|error| match error.raw_os_error() {
            Some(22) => MapRefused::Invalid,
            Some(1) => MapRefused::NotPermitted,
            other => panic!("{other:?} for {text}"),
        });
        assert_eq!(may_map(own.is_root(), own.as_raw(), &ranges), kernel, "{text}");
        counts[match kernel {
            Ok(()) => 0,
            Err(MapRefused::Invalid) => 1,
            Err(MapRefused::NotPermitted) => 2,
        }] += 1;
        // A map that was taken is there to stay: the next one needs another namespace.
        if kernel.is_ok() {
            drop(child.stdin.take());
            assert!(child.wait().unwrap().success());
            child = observer();
        }
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(counts[0] > 30 && counts[1] > 30 && (own.is_root() || counts[2] > 30), "{counts:?}");
}

fn ranges(random: &mut Random, own: u32) -> Vec<Range> {
    (0..1 + random.below(3))
        .map(|_| {
            let inside = [0, 1, 1000, u32::MAX - 1, u32::MAX][random.below(5)];
            let outside = [own, own, own, 0, 100_000, u32::MAX - 1][random.below(6)];
            let count = [1, 1, 1, 1, 0, 2, 65_536, u32::MAX][random.below(8)];
            (inside, outside, count)
        })
        .collect()
}

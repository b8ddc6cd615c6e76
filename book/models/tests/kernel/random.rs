//! Random steps, the same for the same seed.

use models::{Kind, World};

/// One change to a world.
#[derive(Debug, Clone)]
pub enum Step {
    Mount { namespace: usize, at: String },
    Bind { namespace: usize, from: String, to: String, recursive: bool },
    Set { namespace: usize, at: String, kind: Kind, recursive: bool },
    Unshare { of: usize },
    Observe { of: usize },
}

/// A group that receives from another, is received from, and shows only a part of what both show: chance seldom makes one.
pub fn a_group_that_is_passed_over() -> Vec<Step> {
    let set = |namespace, kind| Step::Set { namespace, at: String::new(), kind, recursive: false };
    vec![
        set(0, Kind::Shared),
        Step::Unshare { of: 0 },
        set(1, Kind::Slave),
        set(1, Kind::Shared),
        Step::Unshare { of: 1 },
        set(2, Kind::Slave),
        Step::Bind { namespace: 1, from: "a".into(), to: "b".into(), recursive: false },
        set(1, Kind::Private),
    ]
}

/// xorshift64*
pub struct Random {
    state: u64,
    /// Which of the namespaces are only observed.
    observed: Vec<usize>,
}

impl Random {
    pub fn new(seed: u64) -> Random {
        Random { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), observed: Vec::new() }
    }

    pub fn below(&mut self, count: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        ((self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % count
    }

    fn path(&mut self) -> String {
        let names = ["a", "b"];
        (0..self.below(4)).map(|_| names[self.below(2)]).collect::<Vec<_>>().join("/")
    }

    /// Somewhere, more often where something is mounted.
    fn mounted(&mut self, world: &World, namespace: usize) -> String {
        let rows = world.rows(namespace);
        if self.below(4) == 0 { self.path() } else { rows[self.below(rows.len())].path.clone() }
    }

    pub fn step(&mut self, world: &World, namespaces: usize) -> Step {
        if world.rows(0)[0].shared.is_none() && self.below(2) == 0 {
            return Step::Set { namespace: 0, at: String::new(), kind: Kind::Shared, recursive: true };
        }
        let own: Vec<usize> = (0..namespaces).filter(|one| !self.observed.contains(one)).collect();
        let namespace = own[self.below(own.len())];
        let recursive = self.below(4) == 0;
        match self.below(12) {
            0..2 => Step::Mount { namespace, at: self.path() },
            2..5 => Step::Bind {
                namespace,
                from: if self.below(2) == 0 { self.path() } else { self.mounted(world, namespace) },
                to: self.path(),
                recursive,
            },
            5..10 => {
                let kinds = [
                    Kind::Shared,
                    Kind::Shared,
                    Kind::Shared,
                    Kind::Slave,
                    Kind::Slave,
                    Kind::Slave,
                    Kind::Private,
                ];
                let kind = kinds[self.below(kinds.len())];
                Step::Set { namespace, at: self.mounted(world, namespace), kind, recursive }
            }
            10 if own.len() < 4 => Step::Unshare { of: namespace },
            11 if self.observed.is_empty() => {
                self.observed.push(namespaces);
                Step::Observe { of: namespace }
            }
            _ => Step::Mount { namespace, at: self.path() },
        }
    }
}

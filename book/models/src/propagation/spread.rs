//! Attaching a tree: what is mounted on a shared mount appears on its peers, and on what receives from them.

use super::{Group, MountId, Namespace, Tree, World, is_below};

/// What a tree's mounts are in one peer group: for each, the group and the group it receives from.
#[derive(Clone)]
struct Roles(Vec<(Option<Group>, Option<Group>)>);

impl World {
    /// Mounts a copy or a new file system, here and wherever it travels to.
    pub fn attach(&mut self, tree: Tree, namespace: Namespace, at: &str) {
        let (destination, path) = self.resolve(namespace, at);
        let members = self.tree(tree.0);
        let mut receivers = Vec::new();
        if let Some(group) = self.mounts[destination].group {
            // What is mounted on a shared mount is itself shared.
            for member in &members {
                self.share(*member);
            }
            let roles = |member: &MountId| (self.mounts[*member].group, self.mounts[*member].master);
            let roles = Roles(members.iter().map(roles).collect());
            self.receivers(group, &path, roles, &mut receivers);
        }
        for member in &members {
            self.mounts[*member].namespace = Some(namespace);
        }
        self.mounts[tree.0].parent = Some((destination, path.clone()));
        for (receiver, roles) in receivers {
            if receiver != destination {
                self.attach_copy(&members, &roles, receiver, &path);
            }
        }
    }

    /// The mounts that get a copy. The members of a group get peers of each other; what receives from the group gets what
    /// receives from those; a group none of whose members shows the place is passed over.
    fn receivers(&mut self, group: Group, path: &str, roles: Roles, found: &mut Vec<(MountId, Roles)>) {
        found.extend(
            self.showing(path, |world, mount| world.mounts[mount].group == Some(group))
                .map(|m| (m, roles.clone())),
        );
        let slaves: Vec<_> =
            (0..self.mounts.len()).filter(|mount| self.mounts[*mount].master == Some(group)).collect();
        let received = Roles(roles.0.iter().map(|(group, _)| (None, *group)).collect());
        let mut seen = Vec::new();
        for slave in slaves {
            match self.mounts[slave].group {
                None => {
                    found.extend(self.showing(path, |_, mount| mount == slave).map(|m| (m, received.clone())))
                }
                Some(below) if seen.contains(&below) => {}
                Some(below) => {
                    seen.push(below);
                    let shows = self
                        .showing(path, |world, mount| world.mounts[mount].group == Some(below))
                        .next()
                        .is_some();
                    let next = if shows { self.in_new_groups(&received) } else { roles.clone() };
                    self.receivers(below, path, next, found);
                }
            }
        }
    }

    /// The attached mounts in which a folder of the file system is to be seen.
    fn showing<'a>(
        &'a self,
        path: &'a str,
        which: impl Fn(&World, MountId) -> bool + 'a,
    ) -> impl Iterator<Item = MountId> + 'a {
        let shows = move |mount: &MountId| {
            let one = &self.mounts[*mount];
            which(self, *mount) && one.namespace.is_some() && is_below(path, &one.root)
        };
        (0..self.mounts.len()).filter(shows)
    }

    fn in_new_groups(&mut self, roles: &Roles) -> Roles {
        Roles(roles.0.iter().map(|(_, master)| (Some(self.new_group()), *master)).collect())
    }

    fn attach_copy(&mut self, members: &[MountId], roles: &Roles, receiver: MountId, path: &str) {
        let covered = self.child_at(receiver, path);
        let first = self.mounts.len();
        for (member, (group, master)) in members.iter().zip(&roles.0) {
            let parent = self.mounts[*member].parent.clone();
            let parent = parent.and_then(|(parent, at)| {
                members.iter().position(|other| *other == parent).map(|index| (first + index, at))
            });
            let mut copy = self.mounts[*member].clone();
            copy.namespace = self.mounts[receiver].namespace;
            (copy.group, copy.master) = (*group, *master);
            copy.parent = parent.or_else(|| Some((receiver, path.to_owned())));
            self.mounts.push(copy);
        }
        // What was there stays on top.
        if let Some(covered) = covered {
            let top = self.top(first);
            self.mounts[covered].parent = Some((top, self.mounts[top].root.clone()));
        }
    }
}

//! Mount propagation: which mount namespaces see a new mount (mount_namespaces(7), shared subtrees).
//!
//! Folders are taken to exist; there is no unbindable mount, which kernels treat in different ways. Mounts are not taken away, but for those that a process leaves behind when it changes its root.
//! What happens where a mount already covers the place of a copy is that of Linux 6.17 and later: the copy goes below.

mod spread;

/// A mount namespace of a [`World`].
pub type Namespace = usize;

/// A mount of a [`World`].
pub type MountId = usize;

/// A copy of mounts that is attached nowhere yet, as open_tree(2) makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree(MountId);

/// A peer group: mounts between which new mounts travel in both directions.
type Group = usize;

/// How new mounts travel to and from a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Neither to it nor from it.
    Private,
    /// To it, from the group of which it was a member.
    Slave,
    /// In both directions.
    Shared,
}

/// EINVAL: nothing is mounted at this path, only below or above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAMount;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    /// `None` while it is attached nowhere, or left behind.
    namespace: Option<Namespace>,
    /// What it is mounted on, and where in that one's file system.
    parent: Option<(MountId, String)>,
    filesystem: String,
    /// The folder of the file system that it shows.
    root: String,
    group: Option<Group>,
    /// The group that it receives from.
    master: Option<Group>,
}

/// A mount as /proc/PID/mountinfo tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// How many mounts are below it.
    pub depth: usize,
    /// Where, from the namespace's root; empty for the root itself.
    pub path: String,
    /// The file system's name.
    pub filesystem: String,
    /// The folder of it that is shown; empty for all of it.
    pub root: String,
    /// `shared:N`
    pub shared: Option<usize>,
    /// `master:N`
    pub master: Option<usize>,
}

/// All mount namespaces, with their mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    mounts: Vec<Mount>,
    roots: Vec<MountId>,
    groups: usize,
}

impl World {
    /// Namespace 0, with nothing but a private root.
    pub fn new(filesystem: &str) -> World {
        let mut world = World { mounts: Vec::new(), roots: vec![0], groups: 0 };
        world.mounts.push(fresh(filesystem));
        world.mounts[0].namespace = Some(0);
        world
    }

    /// Mounts a new file system.
    pub fn mount(&mut self, namespace: Namespace, at: &str, filesystem: &str) {
        self.mounts.push(fresh(filesystem));
        self.attach(Tree(self.mounts.len() - 1), namespace, at);
    }

    /// Shows what is at one path at another as well; recursively, with what is mounted below.
    pub fn bind(&mut self, namespace: Namespace, from: &str, to: &str, recursive: bool) {
        let tree = self.copy(namespace, from, recursive);
        self.attach(tree, namespace, to);
    }

    /// The first half of a bind: a copy of what is at a path, a peer of what it was copied from.
    pub fn copy(&mut self, namespace: Namespace, from: &str, recursive: bool) -> Tree {
        let (mount, path) = self.resolve(namespace, from);
        let mut copies = vec![(mount, self.push_copy(mount, None))];
        self.mounts[copies[0].1].root = path;
        let mut index = 0;
        while recursive && index < copies.len() {
            let (original, copy) = copies[index];
            for child in self.children(original) {
                let (_, at) = self.mounts[child].parent.clone().unwrap_or_default();
                if is_below(&at, &self.mounts[copy].root) {
                    copies.push((child, self.push_copy(child, Some((copy, at)))));
                }
            }
            index += 1;
        }
        Tree(copies[0].1)
    }

    fn push_copy(&mut self, of: MountId, parent: Option<(MountId, String)>) -> MountId {
        self.mounts.push(Mount { namespace: None, parent, ..self.mounts[of].clone() });
        self.mounts.len() - 1
    }

    /// Changes the propagation of what is mounted at a path; recursively, of what is mounted below as well.
    pub fn set(
        &mut self,
        namespace: Namespace,
        at: &str,
        kind: Kind,
        recursive: bool,
    ) -> Result<(), NotAMount> {
        let (mount, path) = self.resolve(namespace, at);
        if path != self.mounts[mount].root {
            return Err(NotAMount);
        }
        self.set_tree(Tree(mount), kind, recursive);
        Ok(())
    }

    /// Changes the propagation of a copy.
    pub fn set_tree(&mut self, tree: Tree, kind: Kind, recursive: bool) {
        let mounts = if recursive { self.tree(tree.0) } else { vec![tree.0] };
        for mount in mounts {
            self.change(mount, kind);
        }
    }

    fn change(&mut self, mount: MountId, kind: Kind) {
        if kind == Kind::Shared {
            self.share(mount);
            return;
        }
        self.leave_group(mount);
        if kind != Kind::Slave {
            self.mounts[mount].master = None;
        }
    }

    fn share(&mut self, mount: MountId) {
        if self.mounts[mount].group.is_none() {
            self.mounts[mount].group = Some(self.new_group());
        }
    }

    fn new_group(&mut self) -> Group {
        self.groups += 1;
        self.groups
    }

    /// What leaves a group receives from it. The last one passes its slaves to its own master.
    fn leave_group(&mut self, mount: MountId) {
        let Some(group) = self.mounts[mount].group.take() else {
            return;
        };
        if self.mounts.iter().any(|other| other.group == Some(group)) {
            self.mounts[mount].master = Some(group);
            return;
        }
        let master = self.mounts[mount].master;
        for slave in self.mounts.iter_mut().filter(|other| other.master == Some(group)) {
            slave.master = master;
        }
    }

    /// A copy of a namespace with all its mounts, as CLONE_NEWNS makes it. With a user namespace of its own (`rootless`) it
    /// only receives: what an ordinary user mounts is not seen by others.
    pub fn new_namespace(&mut self, of: Namespace, rootless: bool) -> Namespace {
        let namespace = self.roots.len();
        let originals = self.tree(self.roots[of]);
        let first = self.mounts.len();
        for original in &originals {
            let parent = self.mounts[*original].parent.clone();
            let at = parent.and_then(|(parent, at)| {
                originals.iter().position(|other| *other == parent).map(|index| (first + index, at))
            });
            let copy = self.push_copy(*original, at);
            self.mounts[copy].namespace = Some(namespace);
            if rootless {
                self.leave_group(copy);
            }
        }
        self.roots.push(first);
        namespace
    }

    /// Makes what is mounted at a path the root, and lets go of everything else, as pivot_root(2) and umount2(2) do it. What is
    /// let go must not be shared: the same would go from its peers.
    pub fn pivot(&mut self, namespace: Namespace, at: &str) -> Result<(), NotAMount> {
        let (root, path) = self.resolve(namespace, at);
        if path != self.mounts[root].root {
            return Err(NotAMount);
        }
        let kept = self.tree(root);
        for left in self.tree(self.roots[namespace]) {
            if !kept.contains(&left) {
                self.change(left, Kind::Private);
                self.mounts[left].namespace = None;
            }
        }
        self.mounts[root].parent = None;
        self.roots[namespace] = root;
        Ok(())
    }

    /// What a process in this namespace sees: its mounts, each before those that are on it.
    pub fn rows(&self, namespace: Namespace) -> Vec<Row> {
        let mut rows = Vec::new();
        self.add_rows(self.roots[namespace], 0, String::new(), &mut rows);
        rows
    }

    fn add_rows(&self, mount: MountId, depth: usize, path: String, rows: &mut Vec<Row>) {
        let Mount { filesystem, root, group, master, .. } = self.mounts[mount].clone();
        let mut children: Vec<(String, MountId)> = Vec::new();
        for child in self.children(mount) {
            let (_, at) = self.mounts[child].parent.clone().unwrap_or_default();
            children.push((joined(&path, at.strip_prefix(root.as_str()).unwrap_or(&at)), child));
        }
        rows.push(Row { depth, path, filesystem, root, shared: group, master });
        children.sort();
        for (path, child) in children {
            self.add_rows(child, depth + 1, path, rows);
        }
    }

    /// A mount and all that is mounted below it, each before those that are on it.
    fn tree(&self, mount: MountId) -> Vec<MountId> {
        let mut found = vec![mount];
        let mut index = 0;
        while index < found.len() {
            found.extend(self.children(found[index]));
            index += 1;
        }
        found
    }

    fn children(&self, mount: MountId) -> Vec<MountId> {
        let is_child = |one: &Mount| one.parent.as_ref().is_some_and(|(parent, _)| *parent == mount);
        (0..self.mounts.len()).filter(|child| is_child(&self.mounts[*child])).collect()
    }

    /// The mount in which a path ends, and the folder of its file system.
    fn resolve(&self, namespace: Namespace, path: &str) -> (MountId, String) {
        let mut mount = self.top(self.roots[namespace]);
        let mut folder = self.mounts[mount].root.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            folder = joined(&folder, name);
            if let Some(child) = self.child_at(mount, &folder) {
                mount = self.top(child);
                folder = self.mounts[mount].root.clone();
            }
        }
        (mount, folder)
    }

    /// The last of the mounts that lie on each other's roots.
    fn top(&self, mount: MountId) -> MountId {
        self.child_at(mount, &self.mounts[mount].root).map_or(mount, |child| self.top(child))
    }

    fn child_at(&self, mount: MountId, at: &str) -> Option<MountId> {
        let is_there =
            |one: &Mount| one.parent.as_ref().is_some_and(|(parent, place)| *parent == mount && place == at);
        self.mounts.iter().position(is_there)
    }
}

fn fresh(filesystem: &str) -> Mount {
    let (filesystem, root) = (filesystem.to_owned(), String::new());
    Mount { namespace: None, parent: None, filesystem, root, group: None, master: None }
}

fn joined(folder: &str, name: &str) -> String {
    match (folder, name.trim_start_matches('/')) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

/// Whether a path is a folder or lies inside of it.
fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

//! What a chapter's binary stands on is no way out of the main path: no other module of the library may name it.

use crate::Defect;
use crate::sources::{SourceFile, Sources};
use std::collections::BTreeSet;
use syn::visit::{self, Visit};

/// Where a library's module names one of its stage, or what that has.
pub fn check(sources: &Sources) -> Vec<Defect> {
    let mut defects = Vec::new();
    for chapter in &sources.chapters {
        let files = || sources.files_of(&chapter.package);
        let names: BTreeSet<&str> = files().filter(|file| file.is_stage).flat_map(names).collect();
        // The crate's root names every module, and hands out what the binaries take.
        for file in files().filter(|file| file.is_library() && !file.is_stage && !file.module.is_empty()) {
            defects.extend(named_in(file, &names));
        }
    }
    defects
}

/// The module's name, and those of its items.
fn names(file: &SourceFile) -> impl Iterator<Item = &str> {
    let items = file.items.iter().map(|item| item.name.as_str()).filter(|name| !name.contains("::"));
    items.chain([file.module.as_str()])
}

fn named_in(file: &SourceFile, names: &BTreeSet<&str>) -> Vec<Defect> {
    let mut paths = Paths { names, found: Vec::new() };
    if let Ok(parsed) = syn::parse_file(&file.text) {
        paths.visit_file(&parsed);
    }
    let defect = |(line, name): (usize, String)| {
        let remedy =
            format!("{name} is of this chapter's stage, marked `//! Stage:`: only its binary may use it");
        Defect::new(&file.path, line, remedy)
    };
    paths.found.into_iter().map(defect).collect()
}

/// Paths that begin in this crate: `crate::NAME…`, and what is imported from it.
struct Paths<'a> {
    names: &'a BTreeSet<&'a str>,
    found: Vec<(usize, String)>,
}

impl Paths<'_> {
    fn take(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if self.names.contains(name.as_str()) {
            self.found.push((ident.span().start().line, name));
        }
    }

    fn take_tree(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                self.take(&path.ident);
                self.take_tree(&path.tree);
            }
            syn::UseTree::Name(name) => self.take(&name.ident),
            syn::UseTree::Rename(rename) => self.take(&rename.ident),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.take_tree(tree)),
            syn::UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree
            && path.ident == "crate"
        {
            self.take_tree(&path.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let [first, second, ..] = path.segments.iter().collect::<Vec<_>>()[..]
            && first.ident == "crate"
        {
            self.take(&second.ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !crate::items::is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

//! What the syntax tree shows: lengths of functions, where `async` appears, which crates forbid `unsafe`.

use super::{Breach, Source};
use crate::Result;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A function longer than this is a defect; DESIGN's aim is 40.
const LONGEST_FUNCTION: usize = 60;

/// Checks one file's syntax tree.
pub fn check(source: &Source) -> Result<Vec<Breach>> {
    let file =
        syn::parse_file(&source.text).map_err(|error| format!("{}: {error}", source.path.display()))?;
    let mut visitor = Visitor { source, breaches: Vec::new(), may_be_async: may_be_async(source) };
    if is_crate_root(source) && !forbids_unsafe(&file) {
        visitor.breaches.push(
            source
                .breach(1, "only chapters/00-kernel holds unsafe code: begin with `#![forbid(unsafe_code)]`"),
        );
    }
    visitor.visit_file(&file);
    Ok(visitor.breaches)
}

fn may_be_async(source: &Source) -> bool {
    source.is_test()
        || source.path.starts_with("src/serve")
        || source.path.starts_with("chapters/09-own-registry")
}

/// Cargo's targets: the package's own, and each test, exhibit and bench, which is a crate of its own.
fn is_crate_root(source: &Source) -> bool {
    let path = &source.path;
    let is_own = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || path.ends_with("build.rs");
    let holder = if path.ends_with("main.rs") { path.ancestors().nth(2) } else { path.parent() };
    let holder = holder.and_then(|folder| folder.file_name()).unwrap_or_default();
    let is_target = ["tests", "examples", "benches"].iter().any(|name| holder == *name);
    let is_module = path.iter().any(|part| part == "src") && !is_own;
    (is_own || is_target && !is_module) && !path.starts_with("chapters/00-kernel")
}

fn forbids_unsafe(file: &syn::File) -> bool {
    file.attrs.iter().any(|attribute| {
        attribute.path().is_ident("forbid")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|lint| lint == "unsafe_code")
    })
}

struct Visitor<'a> {
    source: &'a Source,
    breaches: Vec<Breach>,
    may_be_async: bool,
}

impl Visitor<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (start, end) = (signature.span().start().line, block.span().end().line);
        let lines = end - start + 1;
        // Tests are left out: a list of cases is as long as it has cases.
        if lines > LONGEST_FUNCTION && !self.source.is_test() {
            let name = &signature.ident;
            let remedy =
                format!("`{name}` has {lines} lines, at most {LONGEST_FUNCTION}: one idea per function");
            self.breaches.push(self.source.breach(start, remedy));
        }
        if signature.asyncness.is_some() {
            self.asynchronous(start);
        }
    }

    fn asynchronous(&mut self, line: usize) {
        if !self.may_be_async {
            let remedy = "`async` belongs to src/serve: write blocking code, and cross by serve's one helper";
            self.breaches.push(self.source.breach(line, remedy));
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.asynchronous(block.span().start().line);
        visit::visit_expr_async(self, block);
    }
}

//! Takes the bodies out of functions: what a starter is made of. And what those bodies call, which is the last hint.

use crate::Result;
use crate::exercise::Hole;
use std::ops::Range;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The source, with a `todo` in the place of each hole's body.
pub fn dig(source: &str, holes: &[&Hole]) -> Result<String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut found: Vec<(Range<usize>, &Hole)> = Vec::new();
    for hole in holes {
        found.push((body(&file, hole)?.span().byte_range(), hole));
    }
    found.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = source.to_string();
    for (range, hole) in found {
        let line_start = text[..range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let indent: String = text[line_start..].chars().take_while(|letter| *letter == ' ').collect();
        // The macro's name is put together: no source of ours is unfinished.
        let body = format!(
            "{{\n{indent}    {}!(\n{indent}        {:?}\n{indent}    )\n{indent}}}",
            "todo",
            hole.text()
        );
        text.replace_range(range, &body);
    }
    Ok(text)
}

/// What the body of a hole's function in this source calls, in the order in which it is written, each once.
pub fn calls(source: &str, hole: &Hole) -> Result<Vec<String>> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut calls = Calls(Vec::new());
    calls.visit_block(body(&file, hole)?);
    Ok(calls.0)
}

/// The names of functions, methods and macros, as they are written.
struct Calls(Vec<String>);

impl Calls {
    fn add(&mut self, name: String) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let names = function.path.segments.iter().map(|segment| segment.ident.to_string());
            let name = names.collect::<Vec<_>>().join("::");
            if !["Ok", "Err", "Some"].contains(&name.as_str()) {
                self.add(name);
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        // What it is called on is written before it.
        self.visit_expr(&call.receiver);
        self.add(call.method.to_string());
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        let name = called.path.segments.last().map(|segment| segment.ident.to_string());
        self.add(format!("{}!", name.unwrap_or_default()));
        // What most are given is a list of expressions; what else it may be stays untold.
        let list = called.parse_body_with(Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated);
        for argument in list.into_iter().flatten() {
            let mut within = Calls(Vec::new());
            within.visit_expr(&argument);
            within.0.into_iter().for_each(|name| self.add(name));
        }
    }
}

fn body<'a>(file: &'a syn::File, hole: &Hole) -> Result<&'a syn::Block> {
    let found = bodies(file).into_iter().find(|(name, _)| name == hole.item);
    found.map(|(_, body)| body).ok_or_else(|| format!("{}: no function {}", hole.file, hole.item))
}

/// How many of an exercise's holes stand in these sources as they were dug.
pub fn left(holes: &[Hole], source: impl Fn(&str) -> String) -> usize {
    holes.iter().filter(|hole| source(hole.file).contains(&format!("{:?}", hole.text()))).count()
}

/// Every function's body by the function's name: `f`, or `Type::f` for a method.
fn bodies(file: &syn::File) -> Vec<(String, &syn::Block)> {
    let mut bodies = Vec::new();
    for item in &file.items {
        match item {
            syn::Item::Fn(function) => bodies.push((function.sig.ident.to_string(), &*function.block)),
            syn::Item::Impl(block) if block.trait_.is_none() => bodies.extend(methods(block)),
            _ => {}
        }
    }
    bodies
}

fn methods(block: &syn::ItemImpl) -> Vec<(String, &syn::Block)> {
    let syn::Type::Path(owner) = &*block.self_ty else { return Vec::new() };
    let Some(owner) = owner.path.segments.last() else { return Vec::new() };
    let named = block.items.iter().filter_map(|item| match item {
        syn::ImplItem::Fn(method) => Some((format!("{}::{}", owner.ident, method.sig.ident), &method.block)),
        _ => None,
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! A file – with a dash of two bytes.

/// Adds.
pub fn add(a: u8, b: u8) -> u8 {
    a + b
}

struct S;

impl S {
    fn get(&self) -> u8 {
        add(1, 2)
    }
}
";

    #[test]
    fn bodies_are_replaced_and_nothing_else() {
        let hole = |item, task| Hole { file: "a.rs", item, task, section: "Sums" };
        let (add, get) = (hole("add", "add \"them\""), hole("S::get", "get"));
        let text = dig(SOURCE, &[&add, &get]).unwrap();
        let word = "todo";
        let expected = SOURCE
            .replace("    a + b\n", &format!("    {word}!(\n        \"add \\\"them\\\" (Sums)\"\n    )\n"))
            .replace(
                "        add(1, 2)\n",
                &format!("        {word}!(\n            \"get (Sums)\"\n        )\n"),
            );
        assert_eq!(text, expected);
        assert!(dig(SOURCE, &[&hole("gone", "")]).unwrap_err().contains("no function gone"));
    }

    #[test]
    fn calls_are_named_in_the_order_of_the_text_and_once() {
        let source = "fn f() -> R { let a = g(h::i(1))?.map(|x| k(x)).map(l); drop(m!(n(a), 1)); Ok(g(2)) }";
        let hole = Hole { file: "a.rs", item: "f", task: "", section: "" };
        assert_eq!(calls(source, &hole).unwrap(), ["g", "h::i", "map", "k", "drop", "m!", "n"]);
    }
}

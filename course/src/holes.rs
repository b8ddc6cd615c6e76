//! Takes the bodies out of functions: what a starter is made of.

use crate::Result;
use crate::exercise::Hole;
use std::ops::Range;
use syn::spanned::Spanned;

/// The source, with a `todo` in the place of each hole's body.
pub fn dig(source: &str, holes: &[&Hole]) -> Result<String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let bodies = bodies(&file);
    let mut found: Vec<(Range<usize>, &Hole)> = Vec::new();
    for hole in holes {
        let body = bodies.iter().find(|(name, _)| name == hole.item);
        let (_, range) = body.ok_or_else(|| format!("{}: no function {}", hole.file, hole.item))?;
        found.push((range.clone(), hole));
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

/// Every function's body by the function's name: `f`, or `Type::f` for a method.
fn bodies(file: &syn::File) -> Vec<(String, Range<usize>)> {
    let mut bodies = Vec::new();
    for item in &file.items {
        match item {
            syn::Item::Fn(function) => {
                bodies.push((function.sig.ident.to_string(), function.block.span().byte_range()));
            }
            syn::Item::Impl(block) if block.trait_.is_none() => bodies.extend(methods(block)),
            _ => {}
        }
    }
    bodies
}

fn methods(block: &syn::ItemImpl) -> Vec<(String, Range<usize>)> {
    let syn::Type::Path(owner) = &*block.self_ty else { return Vec::new() };
    let Some(owner) = owner.path.segments.last() else { return Vec::new() };
    let named = |item: &syn::ImplItem| match item {
        syn::ImplItem::Fn(method) => {
            Some((format!("{}::{}", owner.ident, method.sig.ident), method.block.span().byte_range()))
        }
        _ => None,
    };
    block.items.iter().filter_map(named).collect()
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
}

//! What a source file holds, item by item, as syn sees it: where each begins and ends, and what it is called.

use proc_macro2::{Span, TokenStream, TokenTree};
use std::ops::RangeInclusive;
use syn::spanned::Spanned;
use syn::{
    Attribute, GenericArgument, ImplItem, Item as SynItem, ItemImpl, PathArguments, PathSegment, Type,
};

/// Something that can be shown by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name inside its file: `plan`, `Inside::new`, `Error::Display` for a trait's implementation.
    pub name: String,
    /// The name of a trait's implementation as it is written: `Failure::From<chroot::Error>`.
    pub long_name: Option<String>,
    /// How a reader of Rust calls it, where that is not its name: `impl From<chroot::Error> for Failure`.
    pub header: Option<String>,
    /// For a member: the lines that open and close the `impl` around it.
    pub block: Option<(usize, usize)>,
    /// Its lines, with its documentation.
    pub lines: RangeInclusive<usize>,
    /// A function without a body worth showing.
    pub is_empty: bool,
}

impl Item {
    /// What stands above it on a page.
    pub fn title(&self) -> String {
        self.header.clone().unwrap_or_else(|| self.name.clone())
    }
}

/// The items of a file; those of its tests are left out.
pub fn of_file(text: &str) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    for item in &syn::parse_file(text)?.items {
        collect(item, text, &mut items);
    }
    Ok(items)
}

fn collect(item: &SynItem, text: &str, items: &mut Vec<Item>) {
    let mut push = |attributes: &[Attribute], name: String, span: Span| {
        if !is_test(attributes) {
            let lines = lines(attributes, span);
            items.push(Item { name, long_name: None, header: None, block: None, lines, is_empty: false });
        }
    };
    match item {
        SynItem::Const(one) => push(&one.attrs, one.ident.to_string(), one.span()),
        SynItem::Static(one) => push(&one.attrs, one.ident.to_string(), one.span()),
        SynItem::Enum(one) => push(&one.attrs, one.ident.to_string(), one.span()),
        SynItem::Struct(one) => push(&one.attrs, one.ident.to_string(), one.span()),
        SynItem::Trait(one) => push(&one.attrs, one.ident.to_string(), one.span()),
        SynItem::Type(one) => push(&one.attrs, one.ident.to_string(), one.span()),
        SynItem::Macro(one) => {
            if let Some(name) =
                one.ident.as_ref().map(ToString::to_string).or_else(|| struct_in(&one.mac.tokens))
            {
                push(&one.attrs, name, one.span());
            }
        }
        SynItem::Fn(one) if !is_test(&one.attrs) => items.push(Item {
            name: one.sig.ident.to_string(),
            long_name: None,
            header: None,
            block: None,
            lines: lines(&one.attrs, one.span()),
            is_empty: one.block.stmts.is_empty(),
        }),
        SynItem::Impl(one) if !is_test(&one.attrs) => collect_impl(one, text, items),
        _ => {}
    }
}

/// A trait's implementation is one item; of a type's own, each member is.
fn collect_impl(block: &ItemImpl, text: &str, items: &mut Vec<Item>) {
    let owner = type_name(&block.self_ty);
    if let Some((path, _)) = &block.trait_ {
        let Some(last) = path.segments.last() else { return };
        let name = format!("{owner}::{}", last.ident);
        let long_name = Some(format!("{}::{}", as_written(&block.self_ty), segment(last)));
        let lines = lines(&block.attrs, block.span());
        let header = Some(header(block, text));
        return items.push(Item { name, long_name, header, block: None, lines, is_empty: false });
    }
    let around = Some((block.brace_token.span.open().start().line, block.span().end().line));
    for member in &block.items {
        let (attributes, name, is_empty) = match member {
            ImplItem::Fn(one) => (&one.attrs, one.sig.ident.to_string(), one.block.stmts.is_empty()),
            ImplItem::Const(one) => (&one.attrs, one.ident.to_string(), false),
            ImplItem::Type(one) => (&one.attrs, one.ident.to_string(), false),
            _ => continue,
        };
        let lines = lines(attributes, member.span());
        items.push(Item {
            name: format!("{owner}::{name}"),
            long_name: None,
            header: None,
            block: around,
            lines,
            is_empty,
        });
    }
}

/// What is written from `impl` to the brace.
fn header(block: &ItemImpl, text: &str) -> String {
    let (first, last) = (block.impl_token.span.start().line, block.brace_token.span.open().start().line);
    let lines: Vec<&str> = text.lines().skip(first - 1).take(last + 1 - first).collect();
    let lines = lines.join(" ");
    let header = lines.rsplit_once('{').map_or(lines.as_str(), |(header, _)| header);
    header.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn type_name(one: &Type) -> String {
    match one {
        Type::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
        }
        Type::Reference(reference) => type_name(&reference.elem),
        _ => String::new(),
    }
}

fn as_written(one: &Type) -> String {
    match one {
        Type::Path(path) => path.path.segments.iter().map(segment).collect::<Vec<_>>().join("::"),
        other => type_name(other),
    }
}

fn segment(segment: &PathSegment) -> String {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return segment.ident.to_string();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(one) => Some(as_written(one)),
        _ => None,
    });
    format!("{}<{}>", segment.ident, types.collect::<Vec<_>>().join(","))
}

/// The struct that a macro such as `bitflags!` declares.
fn struct_in(tokens: &TokenStream) -> Option<String> {
    let mut tokens = tokens.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident == "struct"))?;
    tokens.next().map(|name| name.to_string())
}

fn lines(attributes: &[Attribute], span: Span) -> RangeInclusive<usize> {
    let first = attributes.iter().map(|attribute| attribute.span().start().line).min();
    first.unwrap_or(usize::MAX).min(span.start().line)..=span.end().line
}

/// Whether it is compiled for tests alone.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_and_its_lines() {
        let text = "\
use a::b;
/// Documented.
#[derive(Debug)]
pub struct S {
    a: u8,
}
impl S {
    /// New.
    pub fn new() -> S { S { a: 1 } }
    pub const N: u8 = 1;
}
impl From<a::B> for S {
    fn fmt(&self) {}
}
fn nothing() {}
bitflags::bitflags! {
    pub struct Flags: u32 {
        const A = 1;
    }
}
#[cfg(test)]
mod tests { fn hidden() {} }
#[cfg(test)]
fn also_hidden() {}
";
        let found: Vec<_> = of_file(text)
            .unwrap()
            .into_iter()
            .map(|item| (item.title(), item.lines, item.is_empty))
            .collect();
        let expected = [
            ("S", 2..=6, false),
            ("S::new", 8..=9, false),
            ("S::N", 10..=10, false),
            ("impl From<a::B> for S", 12..=14, false),
            ("nothing", 15..=15, true),
            ("Flags", 16..=20, false),
        ];
        assert_eq!(found, expected.map(|(name, lines, is_empty)| (name.to_string(), lines, is_empty)));
    }
}

//! The functions of an executable: where each begins, and its names.

use crate::Result;
use object::{Object as _, ObjectSymbol as _, SymbolKind};
use std::collections::BTreeSet;
use std::path::Path;

/// A function's first byte, as the executable is loaded, and one of its names; folded ones have several.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Function {
    pub address: u64,
    pub name: String,
}

/// All functions of an executable that has its table of symbols, by address.
pub fn functions(executable: &Path) -> Result<Vec<Function>> {
    let failed = |why: String| format!("{}: {why}", executable.display());
    let bytes = std::fs::read(executable).map_err(|error| failed(error.to_string()))?;
    let file = object::File::parse(&*bytes).map_err(|error| failed(error.to_string()))?;
    let code = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
    let named = |symbol: object::Symbol| {
        let name = symbol.name().ok()?.to_owned();
        Some(Function { address: symbol.address(), name })
    };
    let mut functions: Vec<_> = code.filter_map(named).collect();
    if functions.is_empty() {
        return Err(failed("it has no symbols".into()));
    }
    functions.sort();
    Ok(functions)
}

/// The names at these addresses.
pub fn at<'a>(functions: &'a [Function], addresses: &BTreeSet<u64>) -> BTreeSet<&'a str> {
    let there = functions.iter().filter(|function| addresses.contains(&function.address));
    there.map(|function| function.name.as_str()).collect()
}

/// The functions that are called so once `name_of` was asked, in the order in which the executable has them.
pub fn called<'a>(
    functions: &'a [Function],
    names: &BTreeSet<&str>,
    name_of: fn(&str) -> String,
) -> Vec<&'a str> {
    let names: BTreeSet<_> = names.iter().map(|name| name_of(name)).collect();
    let those = functions.iter().filter(|function| names.contains(&name_of(&function.name)));
    those.map(|function| function.name.as_str()).collect()
}

/// A name without what differs from one target to another: the hash at the end of rustc's older names (`17h…E`), and the crates'
/// in the newer ones (`Cs…_`).
pub fn without_hash(name: &str) -> String {
    if name.starts_with("_R") {
        return without_crates(name);
    }
    let Some((path, rest)) = name.rsplit_once("17h") else { return name.to_owned() };
    match rest.split_at_checked(16) {
        Some((hash, _)) if hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path.to_owned(),
        _ => name.to_owned(),
    }
}

fn without_crates(name: &str) -> String {
    let mut parts = name.split("Cs");
    let mut shorter = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shorter.push('C');
        let hash = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
        shorter.push_str(part[hash..].strip_prefix('_').unwrap_or(part));
    }
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(address: u64, name: &str) -> Function {
        Function { address, name: name.into() }
    }

    #[test]
    fn an_order_has_every_name_at_an_address() {
        let functions = [function(0x10, "a"), function(0x10, "b"), function(0x20, "c"), function(0x30, "d")];
        assert_eq!(at(&functions, &BTreeSet::from([0x10, 0x30, 0x31])), BTreeSet::from(["a", "b", "d"]));
    }

    #[test]
    fn an_order_is_that_of_addresses() {
        let functions = [function(0x10, "z"), function(0x20, "y"), function(0x30, "x")];
        let names = BTreeSet::from(["x", "z", "elsewhere"]);
        assert_eq!(called(&functions, &names, str::to_owned), ["z", "x"]);
    }

    #[test]
    fn an_order_for_another_machine_knows_names_by_all_but_their_hash() {
        let here = "_ZN7runtime6create17h0123456789abcdefE";
        assert_eq!(without_hash(here), "_ZN7runtime6create");
        let there = [function(0x10, "_ZN7runtime6create17hfedcba9876543210E"), function(0x20, "memcpy")];
        assert_eq!(called(&there, &BTreeSet::from([here]), without_hash), [there[0].name.as_str()]);
        assert_eq!(without_hash("_ZN3abc17hardE"), "_ZN3abc17hardE");
        assert_eq!(without_hash("memcpy"), "memcpy");
    }

    #[test]
    fn an_order_knows_newer_names_without_their_crates_hashes() {
        let name = "_RNvNtCs4JrwZUa5DvN_4core9panicking5panicCs1_3std";
        assert_eq!(without_hash(name), "_RNvNtC4core9panicking5panicC3std");
        assert_eq!(without_hash("_RNvC7mycrate3Css"), "_RNvC7mycrate3Cs");
    }

    #[test]
    fn an_executable_tells_where_its_functions_begin() {
        let this = std::env::current_exe().unwrap();
        let functions = functions(&this).unwrap();
        assert!(functions.iter().any(|function| function.name == "main"));
        assert!(functions.is_sorted());
    }
}

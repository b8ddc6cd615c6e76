//! The kernel's modules: which files are needed for those that are wanted, each after those that it depends on.

use crate::Result;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What containers and their networks use and this kernel has not built in.
const WANTED: &[&str] = &[
    "overlay",
    "virtio_pci",
    "virtio_blk",
    "tun",
    "veth",
    "bridge",
    "nf_tables",
    "nft_chain_nat",
    "nft_nat",
    "nft_masq",
    "nft_ct",
    "nft_fib_inet",
    // What CRIU asks of sockets and of connections.
    "af_packet_diag",
    "netlink_diag",
    "nf_conntrack_netlink",
    "raw_diag",
    "tcp_diag",
    "udp_diag",
    "unix_diag",
];

/// The files of the wanted modules in this folder, in the order in which they can be loaded.
pub fn in_order(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = BTreeMap::new();
    find(folder, &mut all)?;
    let mut order = Vec::new();
    WANTED.iter().try_for_each(|name| add(name, &all, &mut order))?;
    Ok(order)
}

/// Every module by its name: as the kernel has it, with `_` where the file may have `-`.
fn find(folder: &Path, into: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            find(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "ko") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
            into.insert(name, path);
        }
    }
    Ok(())
}

fn add(name: &str, all: &BTreeMap<String, PathBuf>, order: &mut Vec<PathBuf>) -> Result<()> {
    let path = all.get(name).ok_or_else(|| format!("this kernel has no module {name}"))?;
    if order.contains(path) {
        return Ok(());
    }
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    for needed in depends(&bytes) {
        add(&needed, all, order)?;
    }
    order.push(path.clone());
    Ok(())
}

/// The modules that one depends on: a string of its section `.modinfo`, in which each ends with a zero byte.
fn depends(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let rest = &module[at + KEY.len()..];
    let names = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(names).replace('-', "_");
    names.split(',').filter(|name| !name.is_empty()).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(depends: &str) -> Vec<u8> {
        format!("\x7fELF license=GPL\0depends={depends}\0name=x\0").into_bytes()
    }

    #[test]
    fn what_a_module_depends_on_comes_first_and_once() {
        let folder = std::env::temp_dir().join(format!("coracle-modules-{}", std::process::id()));
        fs::create_dir_all(folder.join("net")).unwrap();
        for (name, needs) in [("a", "b-c,d"), ("net/b-c", "d"), ("net/d", "")] {
            fs::write(folder.join(format!("{name}.ko")), module(needs)).unwrap();
        }
        let (mut all, mut order) = (BTreeMap::new(), Vec::new());
        find(&folder, &mut all).unwrap();
        add("a", &all, &mut order).unwrap();
        let missing = add("e", &all, &mut order).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
        let names: Vec<_> = order.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["d.ko", "b-c.ko", "a.ko"]);
        assert_eq!(missing, "this kernel has no module e");
    }
}

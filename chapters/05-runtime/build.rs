//! The binary begins before the C library does (see `entry` of the kernel's chapter), where that is written for the processor.
#![forbid(unsafe_code)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" && ["x86_64", "aarch64"].contains(&target("ARCH").as_str()) {
        println!("cargo:rustc-link-arg-bin=coracle-oci=-Wl,-e,coracle_entry");
    }
}

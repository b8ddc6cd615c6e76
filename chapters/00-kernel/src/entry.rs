//! Where execve(2) begins, before the C library does: whoever executes itself again, to be safe, does so from here.
//!
//! A program does not begin with main. The C library's `_start` comes before it, and asks the processor some forty times what it can
//! do (cpuid). In a virtual machine the host answers that, and it takes about half a millisecond. Whoever then executes itself once
//! more pays twice; at this point nothing has been paid yet.
//!
//! Nothing of the C library can be called here. It has no memory for threads, and its memcpy, strlen and memcmp, which it chooses by
//! what the processor can do, are not chosen yet. A compiler calls them on its own account; in volatile reads it finds no reason to.

use nix::libc;
use std::arch::{asm, naked_asm};
use std::ffi::CStr;

/// The address at which execve(2) begins, if a binary is linked with it. The words of the command line and the environment lie on the
/// stack, which is as it was when the C library comes. The register that `_start` looks at besides would be for what a dynamic linker
/// wants done at the end, and there is none.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn coracle_entry() -> ! {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("mov rdi, rsp", "call {}", "xor edx, edx", "jmp _start", sym before_the_c_library);
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov x0, sp", "bl {}", "mov x0, #0", "b _start", sym before_the_c_library);
}

/// By these words an OCI runtime is asked to make a process, each with the zero byte that ends it. `protect` of chapter 05 looks for the
/// same ones, and makes sure of it: one that is missing here costs time alone.
const MAKES: [&[u8]; 3] = [b"create\0", b"run\0", b"exec\0"];

/// Called with the stack as the kernel leaves it (`create_elf_tables` in fs/binfmt_elf.c): the number of words, a pointer to each,
/// a null pointer, and the same of the environment without its number.
unsafe extern "C" fn before_the_c_library(stack: *const usize) {
    // SAFETY: the kernel has laid it out so, and nothing has run since.
    let (words, environment, makes_a_process) = unsafe {
        let (count, words) = (*stack, stack.add(1).cast::<*const u8>());
        let makes = |word: *const u8| MAKES.iter().any(|other| is_word(word, other));
        (words, words.add(count + 1), (1..count).any(|index| makes(*words.add(index))))
    };
    if makes_a_process {
        execute_read_only(words, environment);
    }
}

/// Whether they are the same; both end with a zero byte.
///
/// # Safety
///
/// `word` points to bytes with a zero byte among them.
unsafe fn is_word(word: *const u8, other: &[u8]) -> bool {
    // SAFETY: the first that differs is the last that is read, and one does at the word's end, or it is the other's end as well.
    let byte = |index| unsafe { word.add(index).read_volatile() };
    other.iter().enumerate().all(|(index, other)| byte(index) == *other)
}

/// Executes this program from a mount of its own, unless it may not write the file, as is so on that mount. Returns when it cannot:
/// whoever needs it tries again where an error can be told.
fn execute_read_only(words: *const *const u8, environment: *const *const u8) {
    let Some(mount) = read_only_mount() else { return };
    let (words, environment) = (words.expose_provenance(), environment.expose_provenance());
    // SAFETY: the kernel only reads what these addresses lead to, which it has laid out itself. The descriptor is ours.
    unsafe {
        call(libc::SYS_execveat, mount, address(c""), words, environment, libc::AT_EMPTY_PATH as usize);
        call(libc::SYS_close, mount, 0, 0, 0, 0);
    }
}

/// A mount of this program's file that is attached nowhere and can only be read (open_tree(2), Linux 5.2; mount_setattr(2), 5.12). None
/// for whoever may not write the file, may not mount, or has an older kernel.
fn read_only_mount() -> Option<usize> {
    let (here, file) = (libc::AT_FDCWD as usize, address(c"/proc/self/exe"));
    let attr_set = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
    let attributes = libc::mount_attr { attr_set, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let (size, attributes) = (size_of_val(&attributes), (&raw const attributes).expose_provenance());
    let clone = (libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC) as usize;
    // SAFETY: the kernel only reads what these addresses lead to: constants, and a struct of ours of the size that it is told.
    unsafe {
        if call(libc::SYS_faccessat, here, file, libc::W_OK as usize, 0, 0) != 0 {
            return None;
        }
        let mount = usize::try_from(call(libc::SYS_open_tree, here, file, clone, 0, 0)).ok()?;
        let flags = libc::AT_EMPTY_PATH as usize;
        let is_set = call(libc::SYS_mount_setattr, mount, address(c""), flags, attributes, size) == 0;
        is_set.then_some(mount)
    }
}

/// What a system call is told of a text.
fn address(text: &CStr) -> usize {
    text.as_ptr().expose_provenance()
}

/// A system call without the C library: what it returns, or a negative errno.
///
/// # Safety
///
/// As that of the call.
unsafe fn call(number: libc::c_long, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the instruction changes these registers and no others (syscall(2)); what memory the call changes is the caller's concern.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("svc 0", inlateout("x0") a as isize => result, in("x1") b, in("x2") c, in("x3") d, in("x4") e,
            in("x8") number, options(nostack));
    }
    result
}

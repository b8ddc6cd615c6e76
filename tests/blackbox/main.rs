//! The engine driven from outside: the real binary, the stock clients, the real kernel.
//!
//! Every engine runs in a network namespace of its own, and every test ends by counting what it left behind.
#![forbid(unsafe_code)]

mod api;
mod apparmor;
mod book;
mod connections;
mod crash;
mod daemon;
mod defaults;
mod events;
mod harness;
mod hello;
mod init;
mod interrupts;
mod landlock;
mod limits;
mod logs;
mod oci;
mod parity;
mod pull;
mod ranges;
mod rootless;
mod runtimes;
mod scarcity;
mod sharing;
mod streams;
mod verbs;

//! The engine driven from outside: the real binary, the stock clients, the real kernel.
//!
//! Every engine runs in a network namespace of its own, and every test ends by counting what it left behind.
#![forbid(unsafe_code)]

mod crash;
mod defaults;
mod harness;
mod parity;
mod verbs;

//! The exercises hold what they promise. What is particular to each is a table; the laws are the same for all.
#![forbid(unsafe_code)]

mod exercise_02;
mod exercise_03;
mod exercise_04;
mod exercise_05;
mod laws;
mod machinery;
mod mutants;
mod participant;

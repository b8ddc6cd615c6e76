//! Limits, statistics, freeze and kill for a group of processes.
#![forbid(unsafe_code)]

//! System calls that nix and rustix lack, each in a small typed wrapper: the only unsafe code.

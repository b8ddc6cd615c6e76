//! A process in namespaces of its own: clone3, id maps, rootless.
#![forbid(unsafe_code)]

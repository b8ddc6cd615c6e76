//! What the engine asks of chapter 03, until it is there.
#![allow(missing_docs, clippy::missing_docs_in_private_items)]

pub mod cgroups {
    pub struct Layout;
    pub struct Cgroup;
    #[derive(Debug, thiserror::Error)]
    #[error("cgroups are not there yet")]
    pub struct Error;
    impl Layout {
        pub fn detect() -> Layout {
            Layout
        }
        pub fn is_unified(&self) -> bool {
            false
        }
        pub fn delegated(&self) -> Option<String> {
            None
        }
    }
    impl Cgroup {
        pub fn open(_: &Layout, _: &str) -> Result<Cgroup, Error> {
            Err(Error)
        }
        pub fn freeze(&self) -> Result<(), Error> {
            Err(Error)
        }
        pub fn thaw(&self) -> Result<(), Error> {
            Err(Error)
        }
        pub fn is_frozen(&self) -> bool {
            false
        }
        pub fn remove(&self) -> Result<(), Error> {
            Err(Error)
        }
    }
}

//! What the engine asks of chapters 03 and 04, until they are there.
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

pub mod privileges {
    pub mod user {
        #[derive(Debug, Clone, Default)]
        pub struct User {
            pub uid: u32,
            pub gid: u32,
            pub groups: Vec<u32>,
            pub home: String,
        }
        #[derive(Debug, thiserror::Error)]
        #[error("users are not there yet")]
        pub struct Error;
        pub fn resolve(_: &str, _: &[String], _: &str, _: &str) -> Result<User, Error> {
            Ok(User {
                home: "/root".into(),
                ..User::default()
            })
        }
    }
    pub fn masked_paths() -> &'static [&'static str] {
        &[]
    }
    pub fn readonly_paths() -> &'static [&'static str] {
        &[]
    }
    pub fn all_capabilities() -> &'static [&'static str] {
        &[]
    }
}

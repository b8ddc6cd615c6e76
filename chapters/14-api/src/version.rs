//! Which versions of the API are spoken.

/// The oldest version that clients may ask for.
pub const OLDEST_VERSION: Version = Version { major: 1, minor: 24 };
/// The newest version, spoken to clients that ask for none.
pub const NEWEST_VERSION: Version = Version { major: 1, minor: 50 };

/// A version as `/v1.50/…` asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Always 1 so far.
    pub major: u32,
    /// Compared as a number: 1.9 is older than 1.24.
    pub minor: u32,
}

impl std::str::FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Version, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        let number = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten().ok_or(())
        };
        Ok(Version { major: number(major)?, minor: number(minor)? })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!("1.9".parse::<Version>().unwrap() < OLDEST_VERSION);
        assert_eq!("1.50".parse(), Ok(NEWEST_VERSION));
        for wrong in ["", "1", "1.", ".1", "a.b", "1.2.3", "1.-2"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }
}

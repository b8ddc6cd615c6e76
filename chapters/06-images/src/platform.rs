//! Which machine an image is for, and which of an index's manifests this one runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Descriptor, Error, ErrorKind};

/// `linux/amd64`, `linux/arm/v7`: the words are Go's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Platform {
    /// The processor.
    #[serde(default)]
    pub architecture: String,
    /// The operating system.
    #[serde(default)]
    pub os: String,
    /// The processor's generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// The machine that this program was built for.
    pub fn host() -> Platform {
        Platform { os: "linux".into(), architecture: std::env::consts::ARCH.into(), variant: None }
            .normalized()
    }

    /// One spelling for each machine: `x86_64` is `amd64`, `aarch64` and `arm64/v8` are `arm64`, `armhf` is `arm/v7`.
    pub fn normalized(&self) -> Platform {
        let architecture = self.architecture.to_ascii_lowercase();
        let variant = self.variant.as_deref().filter(|v| !v.is_empty()).map(str::to_ascii_lowercase);
        let (architecture, variant) = match (architecture.as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64", None),
            ("x86_64" | "x86-64" | "amd64", other) => ("amd64", other),
            ("aarch64" | "arm64", None | Some("8" | "v8")) => ("arm64", None),
            ("aarch64" | "arm64", other) => ("arm64", other),
            ("armhf", _) | ("arm", None | Some("7")) => ("arm", Some("v7")),
            ("armel", _) | ("arm", Some("6")) => ("arm", Some("v6")),
            ("i386" | "i686" | "x86", _) => ("386", None),
            (other, variant) => (other, variant),
        };
        Platform {
            os: self.os.to_ascii_lowercase(),
            architecture: architecture.into(),
            variant: variant.map(String::from),
        }
    }

    /// How well content for `other` runs here: 0 is perfect, more is an older generation, None not at all.
    fn distance(&self, other: &Platform) -> Option<u32> {
        let (wanted, offered) = (self.normalized(), other.normalized());
        if (&wanted.os, &wanted.architecture) != (&offered.os, &offered.architecture) {
            return None;
        }
        generation(&wanted).checked_sub(generation(&offered))
    }

    /// The manifest of an index that fits this machine best; the first one of equals.
    pub fn select<'a>(&self, manifests: &'a [Descriptor]) -> Result<&'a Descriptor, Error> {
        let fits = manifests.iter().filter_map(|m| {
            // A manifest without a platform fits any, but less well than one that says so.
            let distance = m.platform.as_ref().map_or(Some(u32::MAX), |p| self.distance(p))?;
            Some((distance, m))
        });
        fits.min_by_key(|(distance, _)| *distance).map(|(_, manifest)| manifest).ok_or_else(|| {
            let message = format!("no matching manifest for {self} in the manifest list entries");
            Error::new(ErrorKind::NotFound, message)
        })
    }
}

/// `v7` is 7; a machine that names no generation is the first.
fn generation(platform: &Platform) -> u32 {
    platform.variant.as_deref().and_then(|v| v.trim_start_matches('v').parse().ok()).unwrap_or(1)
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// `linux/amd64`, `linux/arm/v7`, or the architecture alone.
    fn from_str(text: &str) -> Result<Platform, Error> {
        let plain = |part: &&str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let unknown = || {
            let message = format!("\"{text}\": unknown operating system or architecture: invalid argument");
            Error::new(ErrorKind::InvalidReference, message)
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(plain) || parts.len() > 3 {
            return Err(unknown());
        }
        let (os, architecture, variant) = match parts[..] {
            ["linux"] => return Ok(Platform::host()),
            // A word alone may be either, so it has to be one that is known.
            [word] if !ARCHITECTURES.contains(&word.to_ascii_lowercase().as_str()) => return Err(unknown()),
            [architecture] => ("linux", architecture, None),
            [os, architecture] => (os, architecture, None),
            _ => (parts[0], parts[1], Some(parts[2].into())),
        };
        Ok(Platform { os: os.into(), architecture: architecture.into(), variant }.normalized())
    }
}

/// The architectures that Go, and so every image, has a name for; then the names that are the same by habit.
const ARCHITECTURES: &[&str] = &[
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
    "riscv64", "s390x", "wasm", "i386", "i686", "x86", "x86_64", "x86-64", "aarch64", "armhf", "armel",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media;

    fn index(platforms: &[&str]) -> Vec<Descriptor> {
        let offer = |text: &&str| {
            let parts: Vec<&str> = text.split('/').collect();
            let variant = parts.get(2).map(|v| v.to_string());
            let platform = Platform { os: parts[0].into(), architecture: parts[1].into(), variant };
            Descriptor { platform: Some(platform), ..Descriptor::of(media::OCI_MANIFEST, text.as_bytes()) }
        };
        platforms.iter().map(offer).collect()
    }

    fn selected(machine: &str, platforms: &[&str]) -> String {
        let machine: Platform = machine.parse().unwrap();
        match machine.select(&index(platforms)) {
            Ok(found) => found.platform.as_ref().unwrap().to_string(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn a_word_alone_must_be_known() {
        let parsed = |text: &str| text.parse::<Platform>().map(|platform| platform.to_string());
        assert_eq!(parsed("linux").unwrap(), Platform::host().to_string());
        assert_eq!(parsed("AArch64").unwrap(), "linux/arm64");
        for text in ["bogus", "", "linux/", "a/b/c/d"] {
            let refusal = format!("\"{text}\": unknown operating system or architecture: invalid argument");
            assert_eq!(parsed(text).unwrap_err().to_string(), refusal);
        }
    }

    #[test]
    fn selects_the_machine() {
        let offers =
            ["unknown/unknown", "linux/386", "linux/arm/v6", "linux/arm/v7", "linux/amd64", "linux/arm64/v8"];
        assert_eq!(selected("linux/amd64", &offers), "linux/amd64");
        assert_eq!(selected("linux/x86_64", &offers), "linux/amd64");
        assert_eq!(selected("aarch64", &offers), "linux/arm64/v8");
        assert_eq!(selected("linux/arm/v7", &offers), "linux/arm/v7");
        assert_eq!(selected("linux/arm/v6", &offers), "linux/arm/v6");
        assert_eq!(
            selected("linux/s390x", &offers),
            "no matching manifest for linux/s390x in the manifest list entries"
        );
    }

    #[test]
    fn takes_an_older_generation_never_a_newer_one() {
        assert_eq!(selected("linux/arm/v7", &["linux/arm/v5", "linux/arm/v6"]), "linux/arm/v6");
        assert_eq!(selected("linux/amd64", &["linux/amd64/v3", "linux/amd64/v1"]), "linux/amd64/v1");
        assert!(selected("linux/amd64", &["linux/amd64/v3"]).starts_with("no matching manifest"));
    }
}

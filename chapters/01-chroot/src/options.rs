//! Long tail: the words of fstab and the OCI spec for the options of a mount.

use crate::{Attributes, MountOptions, Propagation};

/// Words that set or clear one attribute: `(word, bits to set, bits to clear)`.
const ATTRIBUTES: &[(&str, u64, u64)] = &[
    ("ro", Attributes::RDONLY, 0),
    ("rw", 0, Attributes::RDONLY),
    ("nosuid", Attributes::NOSUID, 0),
    ("suid", 0, Attributes::NOSUID),
    ("nodev", Attributes::NODEV, 0),
    ("dev", 0, Attributes::NODEV),
    ("noexec", Attributes::NOEXEC, 0),
    ("exec", 0, Attributes::NOEXEC),
    ("noatime", Attributes::NOATIME, Attributes::ATIME),
    ("strictatime", Attributes::STRICTATIME, Attributes::ATIME),
    ("relatime", 0, Attributes::ATIME),
    ("nodiratime", Attributes::NODIRATIME, 0),
    ("diratime", 0, Attributes::NODIRATIME),
    ("nosymfollow", Attributes::NOSYMFOLLOW, 0),
    ("symfollow", 0, Attributes::NOSYMFOLLOW),
];

/// Words that say the default, or what the plan knows already.
const WITHOUT_EFFECT: &[&str] =
    &["defaults", "bind", "rbind", "remount", "async", "norelatime", "nostrictatime", "loud", "atime"];

/// Words for the propagation of a mount.
const PROPAGATIONS: &[&str] = &["private", "slave", "shared", "unbindable"];

/// Every word that [`parse_options`] knows itself; others go to the file system.
pub fn option_words() -> Vec<String> {
    let recursive = |word: &str| format!("r{word}");
    let attributes = ATTRIBUTES.iter().map(|(word, ..)| *word);
    let mut words: Vec<String> = attributes.clone().map(recursive).collect();
    words.extend(PROPAGATIONS.iter().map(|word| recursive(word)));
    words.extend(attributes.chain(PROPAGATIONS.iter().copied()).map(String::from));
    words.extend(WITHOUT_EFFECT.iter().map(|word| word.to_string()));
    words.push("tmpcopyup".into());
    words.sort();
    words
}

/// Sorts the words of an OCI mount's `options` into attributes, propagation, and what is left for the file system.
pub fn parse_options(words: &[String]) -> MountOptions {
    let mut options = MountOptions::default();
    for word in words {
        let recursive = word.strip_prefix('r').filter(|_| word != "ro" && word != "rw" && word != "relatime");
        if let Some(change) = attribute(word) {
            options.attributes = options.attributes.then(change);
        } else if let Some(change) = recursive.and_then(attribute) {
            options.recursive = options.recursive.then(change);
        } else if let Some(propagation) = Propagation::from_word(word) {
            options.propagation = Some(propagation);
        } else if word == "tmpcopyup" {
            options.copy_up = true;
        } else if !WITHOUT_EFFECT.contains(&word.as_str()) {
            options.data.push(word.clone());
        }
    }
    options
}

impl Propagation {
    /// From the words that fstab, docker and the OCI spec use.
    pub fn from_word(word: &str) -> Option<Propagation> {
        let recursive = word.starts_with('r');
        let flag = match word.strip_prefix('r').unwrap_or(word) {
            "private" => Propagation::PRIVATE,
            "slave" => Propagation::SLAVE,
            "shared" => Propagation::SHARED,
            "unbindable" => Propagation::UNBINDABLE,
            _ => return None,
        };
        Some(Propagation { flag, recursive })
    }
}

fn attribute(word: &str) -> Option<Attributes> {
    let (_, set, clear) = ATTRIBUTES.iter().find(|(name, ..)| *name == word)?;
    Some(Attributes { set: *set, clear: *clear })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        let words = ["rw", "nosuid", "ro", "rslave", "rnoexec", "size=64k", "tmpcopyup"].map(String::from);
        let options = parse_options(&words);
        assert_eq!(options.attributes, Attributes { set: Attributes::NOSUID | Attributes::RDONLY, clear: 0 });
        assert_eq!(options.recursive, Attributes { set: Attributes::NOEXEC, clear: 0 });
        assert_eq!(options.propagation, Propagation::from_word("rslave"));
        assert_eq!((options.data, options.copy_up), (vec!["size=64k".to_string()], true));
    }
}

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
    // Each takes back one word alone.
    ("atime", 0, Attributes::NOATIME),
    ("nostrictatime", 0, Attributes::STRICTATIME),
    ("nodiratime", Attributes::NODIRATIME, 0),
    ("diratime", 0, Attributes::NODIRATIME),
    ("nosymfollow", Attributes::NOSYMFOLLOW, 0),
    ("symfollow", 0, Attributes::NOSYMFOLLOW),
];

/// Words that say the default, or what the plan knows already. File systems that number the versions of their files do so always
/// (Linux 6.1), whatever `iversion` says; and `silent` is about the kernel's log, in which nothing is written when a mount fails by
/// fsconfig(2).
const WITHOUT_EFFECT: &[&str] = &[
    "defaults",
    "bind",
    "rbind",
    "remount",
    "idmap",
    "ridmap",
    "norelatime",
    "rnorelatime",
    "loud",
    "silent",
    "iversion",
    "noiversion",
];

/// Words that every file system takes, by the kernel's own hand (`vfs_parse_sb_flag`).
const OF_EVERY_FILE_SYSTEM: &[&str] =
    &["async", "sync", "dirsync", "lazytime", "nolazytime", "mand", "nomand"];

/// Words for the propagation of a mount.
const PROPAGATIONS: &[&str] = &["private", "slave", "shared", "unbindable"];

/// Every word that [`parse_options`] knows itself; others go to the file system.
pub fn option_words() -> Vec<String> {
    let recursive = |word: &str| format!("r{word}");
    let attributes = ATTRIBUTES.iter().map(|(word, ..)| *word);
    let mut words: Vec<String> = attributes.clone().map(recursive).collect();
    words.extend(PROPAGATIONS.iter().map(|word| recursive(word)));
    words.extend(attributes.chain(PROPAGATIONS.iter().copied()).map(String::from));
    words.extend(WITHOUT_EFFECT.iter().chain(OF_EVERY_FILE_SYSTEM).map(|word| word.to_string()));
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
    options.attributes = with_whole_atime(options.attributes);
    options.recursive = with_whole_atime(options.recursive);
    options
}

/// Of the field that the kinds of atime share the kernel clears the whole or nothing (mount_setattr(2), EINVAL).
fn with_whole_atime(attributes: Attributes) -> Attributes {
    let clears_some = (attributes.set | attributes.clear) & Attributes::ATIME != 0;
    Attributes { clear: attributes.clear | if clears_some { Attributes::ATIME } else { 0 }, ..attributes }
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

    /// config.md, "Linux mount options": all that it says a runtime must or should know, and those that it may.
    #[test]
    fn every_word_of_the_specification_is_known() {
        let words = "async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime \
            noexec noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime \
            relatime remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro \
            rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave \
            strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap";
        let known = option_words();
        for word in words.split_whitespace() {
            assert!(known.contains(&word.to_string()), "{word}");
            let data = parse_options(&[word.to_string()]).data;
            assert!(
                data.is_empty() || OF_EVERY_FILE_SYSTEM.contains(&word),
                "{word} goes to the file system"
            );
        }
    }

    #[test]
    fn the_last_word_on_times_holds() {
        let field = |words: &str| {
            let words: Vec<String> = words.split(' ').map(String::from).collect();
            let options = parse_options(&words);
            (options.attributes.set, options.attributes.clear, options.recursive.set, options.recursive.clear)
        };
        let (noatime, strict, whole) = (Attributes::NOATIME, Attributes::STRICTATIME, Attributes::ATIME);
        assert_eq!(field("noatime atime"), (0, whole, 0, 0));
        assert_eq!(field("noatime nostrictatime"), (noatime, whole, 0, 0));
        assert_eq!(field("strictatime nostrictatime"), (0, whole, 0, 0));
        assert_eq!(field("strictatime norelatime"), (strict, whole, 0, 0));
        assert_eq!(field("rnoatime ratime"), (0, 0, 0, whole));
        assert_eq!(field("rstrictatime rnorelatime"), (0, 0, strict, whole));
        assert_eq!(field("rnostrictatime"), (0, 0, 0, whole));
    }

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

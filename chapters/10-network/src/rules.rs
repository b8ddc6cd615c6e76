//! What the packet filter is to do for a bridge, as plain data. It prints in the language of `nft`.

use std::fmt;

use serde::Serialize;

use crate::{Bridge, Subnet};

/// Where in a packet's way through the kernel a chain is asked, and in which of the filter's roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Hook {
    /// Packets that pass through this host, from one link to another.
    Forward,
    /// Packets about to leave, where their source address can be rewritten.
    Postrouting,
}

/// What a packet must be for a rule to apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Match {
    /// It comes from this subnet.
    From(Subnet),
    /// It came in by this link.
    InputIs(String),
    /// It leaves by this link.
    OutputIs(String),
    /// It leaves by another link than this.
    OutputIsNot(String),
    /// It answers something that went the other way, or belongs to it.
    Answer,
}

/// What a rule then does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// Lets it pass this chain.
    Accept,
    /// Throws it away.
    Drop,
    /// Replaces its source by the address of the link that it leaves by, and undoes that for the answers.
    Masquerade,
}

/// All matches must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// What the packet must be.
    pub matches: Vec<Match>,
    /// What happens to it.
    pub verdict: Verdict,
}

/// Rules that are asked in order until one decides; a packet that none decides on passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// When they are asked.
    pub hook: Hook,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A table of IPv4 rules; it is replaced and removed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name among the IPv4 tables of the network namespace.
    pub name: String,
    /// Its chains, at most one a hook.
    pub chains: Vec<Chain>,
}

/// The name of a bridge's table. One table a bridge, so that two daemons on one host do not remove each other's.
pub fn table_name(bridge: &str) -> String {
    format!("coracle-{bridge}")
}

/// Containers reach the world in this host's name; the world reaches them only with answers.
///
/// Docker's rules say the same. As everywhere with netfilter, a packet passes when *every* table lets it pass: where another
/// program's policy for forwarded packets is to drop them, these rules cannot overrule it.
pub fn bridge_rules(bridge: &Bridge) -> Table {
    let name = bridge.name.clone();
    let rule = |matches: &[Match], verdict| Rule { matches: matches.to_vec(), verdict };
    let to_the_world = [Match::From(bridge.subnet), Match::OutputIsNot(name.clone())];
    let forward = vec![
        rule(&[Match::InputIs(name.clone())], Verdict::Accept),
        rule(&[Match::OutputIs(name.clone()), Match::Answer], Verdict::Accept),
        rule(&[Match::OutputIs(name)], Verdict::Drop),
    ];
    Table {
        name: table_name(&bridge.name),
        chains: vec![
            Chain { hook: Hook::Postrouting, rules: vec![rule(&to_the_world, Verdict::Masquerade)] },
            Chain { hook: Hook::Forward, rules: forward },
        ],
    }
}

impl Hook {
    /// The chain's name, for which we take the hook's.
    pub fn name(self) -> &'static str {
        match self {
            Hook::Forward => "forward",
            Hook::Postrouting => "postrouting",
        }
    }

    /// The type of chain, and its priority there: a lower one is asked earlier.
    pub fn kind_and_priority(self) -> (&'static str, i32) {
        match self {
            Hook::Forward => ("filter", 0),
            Hook::Postrouting => ("nat", 100),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        writeln!(out, "table ip {} {{", self.name)?;
        for (index, chain) in self.chains.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(out, "{separator}{chain}")?;
        }
        writeln!(out, "}}")
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let (kind, priority) = match self.hook {
            Hook::Forward => ("filter", "filter"),
            Hook::Postrouting => ("nat", "srcnat"),
        };
        let hook = self.hook.name();
        writeln!(out, "\tchain {hook} {{")?;
        writeln!(out, "\t\ttype {kind} hook {hook} priority {priority}; policy accept;")?;
        for rule in &self.rules {
            writeln!(out, "\t\t{rule}")?;
        }
        writeln!(out, "\t}}")
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for condition in &self.matches {
            write!(out, "{condition} ")?;
        }
        out.write_str(match self.verdict {
            Verdict::Accept => "accept",
            Verdict::Drop => "drop",
            Verdict::Masquerade => "masquerade",
        })
    }
}

impl fmt::Display for Match {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Match::From(subnet) => write!(out, "ip saddr {subnet}"),
            Match::InputIs(link) => write!(out, "iifname \"{link}\""),
            Match::OutputIs(link) => write!(out, "oifname \"{link}\""),
            Match::OutputIsNot(link) => write!(out, "oifname != \"{link}\""),
            Match::Answer => write!(out, "ct state established,related"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridges_rules_in_the_language_of_nft() {
        let bridge = Bridge::new("coracle0", "172.17.0.0/16".parse().unwrap());
        insta::assert_snapshot!(bridge_rules(&bridge));
    }
}

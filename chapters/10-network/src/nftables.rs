//! Tells the kernel's packet filter the rules of a table, in one transaction: all of them apply, or none.

use netlink_packet_core::{DefaultNla, NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{
    Bitwise, ChainAttribute, ChainMessage, Cmp, DataAttribute, ExpressionAttribute, Expressions,
    Hook as HookAttribute, HookNumber, Immediate, InetHookNumber, ListAttribute, Meta, MetaKey,
    NfTablesMessage, Operator, Payload, Register, RuleAttribute, RuleMessage, TableAttribute, TableMessage,
    Verdict as VerdictCode, VerdictAttribute,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use nix::errno::Errno;
use nix::libc::{NF_ACCEPT, NF_DROP, NFNL_SUBSYS_NFTABLES};
use runtime::netlink::{Netlink, refused};

use crate::{Chain, Hook, Match, Rule, Table, Verdict};

type Expression = ListAttribute<ExpressionAttribute>;
type Step = (NetfilterMessage, u16);

/// Puts the table in force, in place of one of that name.
pub fn replace_table(table: &Table) -> kernel::Result<()> {
    let name = &table.name;
    // Deleting what does not exist would fail the transaction; adding what exists does not.
    let mut steps = vec![add_table(name), delete(name), add_table(name)];
    for chain in &table.chains {
        steps.push(add_chain(name, chain));
        steps.extend(chain.rules.iter().map(|rule| add_rule(name, chain.hook, rule)));
    }
    Netlink::netfilter()?
        .change(transaction(steps))
        .map_err(|errno| refused(format_args!("nft add table ip {name}"), errno))
}

/// Whether a table of this name has as many rules as this one. Who changes single rules of ours by hand is left to it.
pub fn is_in_force(table: &Table) -> kernel::Result<bool> {
    let expected: usize = table.chains.iter().map(|chain| chain.rules.len()).sum();
    let attributes = vec![RuleAttribute::Table(table.name.clone())];
    let (request, _) = step(NfTablesMessage::GetRule(RuleMessage { attributes }), 0);
    match Netlink::netfilter()?.list(request) {
        Ok(rules) => Ok(rules.len() == expected),
        Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(refused(format_args!("nft list table ip {}", table.name), errno)),
    }
}

/// Removes the table; one that is not there is no error.
pub fn delete_table(name: &str) -> kernel::Result<()> {
    match Netlink::netfilter()?.change(transaction(vec![delete(name)])) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(refused(format_args!("nft delete table ip {name}"), errno)),
    }
}

fn transaction(mut steps: Vec<Step>) -> Vec<Step> {
    let bracket = |message| {
        let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, NFNL_SUBSYS_NFTABLES as u16);
        (NetfilterMessage::new(header, message), 0)
    };
    steps.insert(0, bracket(ControlMessage::BatchBegin));
    steps.push(bracket(ControlMessage::BatchEnd));
    steps
}

fn step(message: NfTablesMessage, flags: u16) -> Step {
    let header = NetfilterHeader::new(NetfilterProtoFamily::IPv4, 0, 0);
    (NetfilterMessage::new(header, message), flags)
}

fn table_message(name: &str) -> TableMessage {
    TableMessage { attributes: vec![TableAttribute::Name(name.to_owned())] }
}

fn add_table(name: &str) -> Step {
    step(NfTablesMessage::NewTable(table_message(name)), NLM_F_CREATE)
}

fn delete(name: &str) -> Step {
    step(NfTablesMessage::DeleteTable(table_message(name)), 0)
}

fn add_chain(table: &str, chain: &Chain) -> Step {
    let (kind, priority) = chain.hook.kind_and_priority();
    let number = match chain.hook {
        Hook::Forward => InetHookNumber::Forward,
        Hook::Postrouting => InetHookNumber::PostRouting,
    };
    let attributes = vec![
        ChainAttribute::Table(table.to_owned()),
        ChainAttribute::Name(chain.hook.name().to_owned()),
        ChainAttribute::Type(kind.to_owned()),
        ChainAttribute::Hook(vec![
            HookAttribute::Number(HookNumber::Inet(number)),
            HookAttribute::Priority(priority.cast_unsigned()),
        ]),
        ChainAttribute::Policy(NF_ACCEPT as u32),
    ];
    step(NfTablesMessage::NewChain(ChainMessage { attributes }), NLM_F_CREATE)
}

fn add_rule(table: &str, hook: Hook, rule: &Rule) -> Step {
    let mut expressions: Vec<Expression> = rule.matches.iter().flat_map(matching).collect();
    expressions.push(deciding(rule.verdict));
    let attributes = vec![
        RuleAttribute::Table(table.to_owned()),
        RuleAttribute::Chain(hook.name().to_owned()),
        RuleAttribute::Expressions(expressions),
    ];
    step(NfTablesMessage::NewRule(RuleMessage { attributes }), NLM_F_CREATE | NLM_F_APPEND)
}

/// A match is a little program: load a part of the packet into register 1, mask it where needed, compare.
fn matching(condition: &Match) -> Vec<Expression> {
    match condition {
        Match::From(subnet) => vec![
            load_source_address(),
            mask(&subnet.mask().octets()),
            compare(Operator::Equal, &subnet.first().octets()),
        ],
        Match::InputIs(link) => vec![load(MetaKey::Iifname), compare(Operator::Equal, &link_name(link))],
        Match::OutputIs(link) => vec![load(MetaKey::Oifname), compare(Operator::Equal, &link_name(link))],
        Match::OutputIsNot(link) => {
            vec![load(MetaKey::Oifname), compare(Operator::NotEqual, &link_name(link))]
        }
        Match::Answer => {
            let established_or_related = (1_u32 << 1 | 1 << 2).to_ne_bytes();
            vec![load_connection_state(), mask(&established_or_related), compare(Operator::NotEqual, &[0; 4])]
        }
    }
}

fn deciding(verdict: Verdict) -> Expression {
    let code = match verdict {
        Verdict::Accept => NF_ACCEPT as u32,
        Verdict::Drop => NF_DROP as u32,
        Verdict::Masquerade => return other("masq", vec![]),
    };
    let verdict = vec![VerdictAttribute::Code(VerdictCode::Other(code))];
    let data = DataAttribute::Verdict(verdict);
    Expressions::Immediate(vec![Immediate::DestinationRegister(Register::Verdict), Immediate::Data(data)])
        .into()
}

fn load(key: MetaKey) -> Expression {
    Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(Register::Reg1)]).into()
}

/// The four bytes at offset 12 of the IPv4 header.
fn load_source_address() -> Expression {
    const NETWORK_HEADER: u32 = 1; // NFT_PAYLOAD_NETWORK_HEADER
    Expressions::Payload(vec![
        Payload::DestinationRegister(Register::Reg1),
        Payload::Base(NETWORK_HEADER),
        Payload::Offset(12),
        Payload::Len(4),
    ])
    .into()
}

/// What connection tracking says about the packet, a set of bits. Attributes are NFTA_CT_DREG and NFTA_CT_KEY, key NFT_CT_STATE.
fn load_connection_state() -> Expression {
    other("ct", vec![(1, Register::Reg1.into()), (2, 0)])
}

fn mask(bits: &[u8; 4]) -> Expression {
    Expressions::Bitwise(vec![
        Bitwise::SourceRegister(Register::Reg1),
        Bitwise::DestinationRegister(Register::Reg1),
        Bitwise::Length(4),
        Bitwise::Mask(DataAttribute::Value(bits.to_vec())),
        Bitwise::Xor(DataAttribute::Value(vec![0; 4])),
    ])
    .into()
}

fn compare(operator: Operator, value: &[u8]) -> Expression {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(Register::Reg1),
        Cmp::Op(operator),
        Cmp::Data(DataAttribute::Value(value.to_vec())),
    ])
    .into()
}

/// An expression that the netlink crate has no type for: its name, and numbers by attribute.
fn other(name: &str, numbers: Vec<(u16, u32)>) -> Expression {
    let attribute = |(kind, number): (u16, u32)| DefaultNla::new(kind, number.to_be_bytes().to_vec());
    Expressions::Other {
        expression_type: name.to_owned(),
        attributes: numbers.into_iter().map(attribute).collect(),
    }
    .into()
}

/// A link's name as the kernel compares it: padded with zeros to all 16 bytes.
fn link_name(name: &str) -> [u8; 16] {
    let mut padded = [0; 16];
    let length = name.len().min(15);
    padded[..length].copy_from_slice(&name.as_bytes()[..length]);
    padded
}

//! Signals by name and number, as `kill` and `--stop-signal` take them. Pure.

/// `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3`; None: there is no such signal.
pub fn parse(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return (1..=LAST).contains(&number).then_some(number);
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return realtime(FIRST_REALTIME, rest);
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return realtime(LAST, rest);
    }
    let named = NAMES.iter().position(|own| *own == name).map(|index| index as i32 + 1);
    named.or_else(|| ALIASES.iter().find(|(own, _)| *own == name).map(|(_, number)| *number))
}

/// What follows `RTMIN` or `RTMAX`: `+3`, `-14`, nothing.
fn realtime(from: i32, rest: &str) -> Option<i32> {
    let offset = if rest.is_empty() { 0 } else { rest.parse().ok()? };
    from.checked_add(offset).filter(|number| (FIRST_REALTIME..=LAST).contains(number))
}

/// The C library keeps 32 and 33 for itself.
const FIRST_REALTIME: i32 = 34;
const LAST: i32 = 64;

/// The signals 1 to 31 of every architecture that we run on (signal(7)).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

const ALIASES: [(&str, i32); 5] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31), ("INFO", 30)];

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_and_numbers() {
        for (text, number) in
            [("9", 9), ("KILL", 9), ("SIGKILL", 9), ("sigterm", 15), ("SYS", 31), ("IOT", 6)]
        {
            assert_eq!(parse(text), Some(number), "{text}");
        }
        assert_eq!(
            [parse("RTMIN"), parse("SIGRTMIN+3"), parse("RTMAX-14"), parse("64")],
            [34, 37, 50, 64].map(Some)
        );
        for text in
            ["0", "65", "-1", "", "SIG", "NOSUCH", "RTMIN+31", "RTMAX+1", "RTMIN-1", "RTMAX+2147483647"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! Signals by the names and numbers that Docker takes.

use std::str::FromStr;

use nix::sys::signal::Signal;

use crate::error::{Error, ErrorKind, Result};

/// The first and the last real-time signal as the C library leaves them to programs (the kernel's own first is 32).
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// `15`, `TERM`, `SIGTERM`, `sigterm`, `RTMIN+3`: the signal's number.
pub fn parse(text: &str) -> Result<i32> {
    let number = match text.parse::<i32>() {
        Ok(number) => Some(number).filter(|number| (1..=RTMAX).contains(number)),
        Err(_) => named(&text.to_ascii_uppercase()),
    };
    number.ok_or_else(|| Error::new(ErrorKind::InvalidParameter, format!("Invalid signal: {text}")))
}

fn named(text: &str) -> Option<i32> {
    let name = text.strip_prefix("SIG").unwrap_or(text);
    let from = |start: i32, rest: &str| {
        rest.is_empty().then_some(start).or_else(|| Some(start + rest.parse::<i32>().ok()?))
    };
    let real_time = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => from(RTMIN, rest),
        (_, Some(rest)) => from(RTMAX, rest),
        _ => None,
    };
    match name {
        "CLD" => Some(Signal::SIGCHLD as i32),
        "POLL" => Some(Signal::SIGIO as i32),
        _ => real_time.or_else(|| Signal::from_str(&format!("SIG{name}")).ok().map(|signal| signal as i32)),
    }
    .filter(|number| (1..=RTMAX).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for (text, number) in [
            ("9", 9),
            ("TERM", 15),
            ("sigusr1", 10),
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("RTMAX-1", 63),
            ("64", 64),
        ] {
            assert_eq!(parse(text).expect(text), number);
        }
        for text in ["", "0", "65", "NOSUCH", "RTMIN+31", "-1", "SIG"] {
            assert_eq!(parse(text).expect_err(text).to_string(), format!("Invalid signal: {text}"));
        }
    }
}

//! Sizes and times for people, as Docker writes and reads them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `1.98MB`: decimal units with `digits` significant digits.
pub fn human_size(bytes: f64, digits: usize) -> String {
    scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"], digits)
}

/// `23.54GiB`: binary units with four significant digits.
pub fn binary_size(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 4)
}

fn scaled(mut value: f64, base: f64, names: &[&str], digits: usize) -> String {
    let mut unit = 0;
    while value >= base && unit < names.len() - 1 {
        value /= base;
        unit += 1;
    }
    format!("{}{}", significant(value, digits), names[unit])
}

/// `%.{digits}g` of C for values that need no exponent: trailing zeros go.
fn significant(value: f64, digits: usize) -> String {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let places = (digits as i32 - 1 - magnitude).max(0) as usize;
    let mut text = format!("{value:.places$}");
    // Rounding may carry into one more digit: 999.96 with four is 1000, not 1000.0.
    if text.trim_start_matches('-').bytes().filter(u8::is_ascii_digit).count() > digits && places > 0 {
        text = format!("{value:.*}", places - 1);
    }
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// `About a minute`, `3 weeks`: a duration in seconds in one unit, rounded as Docker rounds.
pub fn human_duration(seconds: f64) -> String {
    let whole = seconds as i64;
    let minutes = whole / 60;
    let hours = (seconds / 3600.0).round() as i64;
    match () {
        () if whole < 1 => "Less than a second".to_string(),
        () if whole == 1 => "1 second".to_string(),
        () if whole < 60 => format!("{whole} seconds"),
        () if minutes == 1 => "About a minute".to_string(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_string(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", (seconds / 3600.0 / 24.0 / 365.0) as i64),
    }
}

/// `2 minutes ago`, for a moment in seconds since 1970.
pub fn ago(seconds: i64) -> String {
    let now = Timestamp::now();
    let elapsed = now.as_millisecond() as f64 / 1000.0 - seconds as f64;
    format!("{} ago", human_duration(elapsed))
}

/// `2026-01-01 00:00:00 +0000 UTC`, as Go prints a time.
pub fn full_time(seconds: i64) -> String {
    let zoned = Timestamp::from_second(seconds).unwrap_or_default().to_zoned_datetime(local_zone());
    zoned.strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}

/// The user's zone: `TZ` as a fixed rule or UTC, or the system's.
pub fn local_zone() -> TimeZone {
    let name = std::env::var("TZ").ok();
    if name.as_deref().is_some_and(|name| name.is_empty() || name == "UTC") {
        return TimeZone::UTC;
    }
    let path = match name.as_deref() {
        Some(name) if name.starts_with('/') => name.to_string(),
        Some(name) => format!("/usr/share/zoneinfo/{}", name.trim_start_matches(':')),
        None => "/etc/localtime".to_string(),
    };
    let data = std::fs::read(path).ok();
    data.and_then(|data| TimeZone::tzif("local", &data).ok()).unwrap_or(TimeZone::UTC)
}

/// `512m`, `1.5g`, `2kib`, `1024` -> bytes; binary multiples, as Docker's `-m`.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    let end = text.rfind(|letter: char| letter.is_ascii_digit()).map_or(0, |at| at + 1);
    let (number, suffix) = text.split_at(end);
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("invalid size: '{text}'"));
    }
    let value: f64 = number.parse().map_err(|_| format!("invalid size: '{text}'"))?;
    let suffix = suffix.trim_start_matches(' ').to_lowercase();
    let unknown = || format!("invalid suffix: '{suffix}'");
    let (letter, rest) = suffix.split_at(suffix.chars().next().map_or(0, char::len_utf8));
    let exponent = match letter {
        "" => return Ok(value as i64),
        "b" if rest.is_empty() => return Ok(value as i64),
        letter => {
            "kmgtpezy".find(letter).filter(|_| matches!(rest, "" | "b" | "ib")).ok_or_else(unknown)? + 1
        }
    };
    Ok((value * 1024f64.powi(exponent as i32)) as i64)
}

/// `1.5` -> 1 500 000 000: CPUs in billionths, without the rounding of a floating-point number.
pub fn parse_cpus(text: &str) -> Result<i64, String> {
    let bad = || format!("failed to parse {text} as a rational number");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    if fraction.trim_end_matches('0').len() > 9 {
        return Err("value is too precise".into());
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
    let nanos: i64 = format!("{fraction:0<9.9}").parse().map_err(|_| bad())?;
    whole.checked_mul(1_000_000_000).and_then(|billions| billions.checked_add(nanos)).ok_or_else(bad)
}

/// `1m30s`, `500ms` -> nanoseconds; Go's notation of a duration.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let bad = || format!("time: invalid duration {text:?}");
    let mut rest = text;
    let mut total = 0f64;
    if text == "0" {
        return Ok(0);
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(bad)?;
        let value: f64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
        let length = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..length] {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return Err(bad()),
        };
        total += value * unit;
        rest = &rest[length..];
    }
    if text.is_empty() { Err(bad()) } else { Ok(total as i64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        let sizes = [0.0, 42.0, 999.0, 1000.0, 1_980_000.0, 93_412_345.0, 999_950.0, 999_999.0, 1.5e12];
        let human = sizes.map(|size| human_size(size, 3)).join(" ");
        assert_eq!(human, "0B 42B 999B 1kB 1.98MB 93.4MB 1e+03kB 1e+03kB 1.5TB".replace("1e+03kB", "1000kB"));
        assert_eq!(binary_size(25_276_000_000.0), "23.54GiB");
        assert_eq!(binary_size(512.0), "512B");
    }

    #[test]
    fn durations_for_people() {
        let text =
            [0.3, 1.0, 59.0, 60.0, 119.0, 120.0, 3599.0, 3600.0, 5400.0, 90_000.0, 200_000.0, 2e6, 1e7, 1e8]
                .map(human_duration)
                .join(", ");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn bytes_are_read_with_binary_units() {
        let read = |text| parse_bytes(text).map_err(|error| error.to_string());
        assert_eq!(read("1024"), Ok(1024));
        assert_eq!(read("64m"), Ok(64 << 20));
        assert_eq!(read("1.5 GiB"), Ok(3 << 29));
        assert_eq!(read("4b"), Ok(4));
        assert_eq!(read("10x"), Err("invalid suffix: 'x'".into()));
        assert_eq!(read("m"), Err("invalid size: 'm'".into()));
        assert_eq!(read("-1"), Err("invalid size: '-1'".into()));
    }

    #[test]
    fn cpus_are_exact() {
        assert_eq!(parse_cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(parse_cpus(".000000001"), Ok(1));
        assert!(parse_cpus("0.0000000001").is_err());
        assert!(parse_cpus("two").is_err());
    }

    #[test]
    fn durations_as_go_writes_them() {
        assert_eq!(parse_duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(parse_duration("1.5ms"), Ok(1_500_000));
        assert!(parse_duration("10").is_err());
        assert!(parse_duration("").is_err());
    }
}

//! Moments as `--since` and `--until` take them.

use super::units::{local_zone, parse_duration};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `42m` (ago), `2013-01-02T13:23:37Z`, parts of it in the local zone, or seconds since 1970 -> seconds with a fraction, as
/// the API takes them. `now` is in seconds.
pub fn parse(text: &str, now: i64) -> Result<String, String> {
    if let Some(nanoseconds) = parse_duration(text).ok().filter(|_| text != "0") {
        return Ok((now - nanoseconds / 1_000_000_000).to_string());
    }
    if let Some(moment) = calendar(text, local_zone()) {
        return Ok(format!("{}.{:09}", moment.as_second(), moment.subsec_nanosecond()));
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    match seconds.parse::<i64>().is_ok() && fraction.parse::<u64>().is_ok() {
        true => Ok(text.to_string()),
        false => Err(format!("failed to parse value as time or duration: {text:?}")),
    }
}

/// A date, maybe a time (its seconds and minutes may be left out), maybe a zone.
fn calendar(text: &str, local: TimeZone) -> Option<Timestamp> {
    let date = text.get(..10).filter(|date| date.as_bytes()[4] == b'-')?;
    let rest = &text[10..];
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let time = match time.strip_prefix('T') {
        None if time.is_empty() => "00:00:00".to_string(),
        None => return None,
        Some(hour) if hour.len() == 2 => format!("{hour}:00:00"),
        Some(minute) if minute.len() == 5 => format!("{minute}:00"),
        Some(full) => full.to_string(),
    };
    if !zone.is_empty() {
        return format!("{date}T{time}{zone}").parse().ok();
    }
    let moment: DateTime = format!("{date}T{time}").parse().ok()?;
    local.to_timestamp(moment).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notations() {
        let utc = |text| calendar(text, TimeZone::UTC).map(|moment| moment.as_second());
        assert_eq!(utc("2013-01-02T13:23:37Z"), Some(1_357_133_017));
        assert_eq!(utc("2013-01-02T13:23:37"), Some(1_357_133_017));
        assert_eq!(utc("2013-01-02T13:23"), Some(1_357_132_980));
        assert_eq!(utc("2013-01-02T14+01:00"), Some(1_357_131_600));
        assert_eq!(utc("2013-01-02"), Some(1_357_084_800));
        assert_eq!(utc("2013-01-0x"), None);
        assert_eq!(parse("1h", 10_000), Ok("6400".into()));
        assert_eq!(parse("2013-01-02T13:23:37.5Z", 0), Ok("1357133017.500000000".into()));
        assert_eq!(parse("1357133017.25", 0), Ok("1357133017.25".into()));
        assert_eq!(parse("x", 0), Err("failed to parse value as time or duration: \"x\"".into()));
    }
}

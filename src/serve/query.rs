//! What comes behind the `?`, read as Docker reads it.

use std::collections::BTreeMap;

use super::error::{Answered, Failure};
use crate::filters::Filters;

/// A request's parameters, decoded.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Answered<Query> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decode = |text: &str| decode(&text.replace('+', " "));
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        pairs.collect::<Answered<_>>().map(Query)
    }

    /// A parameter's first value; an empty one is as good as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(key, _)| key == name);
        first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of a parameter that may come several times.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(key, _)| key == name);
        own.map(|(_, value)| value.as_str())
    }

    /// A switch: on, unless it is missing or one of Docker's five words for off.
    pub fn flag(&self, name: &str) -> bool {
        let value = self.text(name).unwrap_or_default().trim().to_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Answered<Option<T>> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Failure::invalid(format!("invalid value for {name}: parsing {text:?}: invalid syntax"))
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// A time in seconds since 1970, with up to nine digits behind a point; in nanoseconds. 0 is as good as none.
    pub fn time(&self, name: &str) -> Answered<Option<i64>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let time = parse_time(text).ok_or_else(|| {
            Failure::invalid(format!("invalid value for {name}: parsing {text:?}: invalid syntax"))
        })?;
        Ok(Some(time).filter(|time| *time != 0))
    }

    /// `filters`: `{"status": ["running"]}`, or as old clients say it, `{"status": {"running": true}}`.
    pub fn filters(&self) -> Answered<Filters> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Values {
            List(Vec<String>),
            Set(BTreeMap<String, bool>),
        }
        let Some(text) = self.text("filters") else {
            return Ok(Filters::new());
        };
        let filters: BTreeMap<String, Values> = serde_json::from_str(text)
            .map_err(|error| Failure::invalid(format!("invalid filter: {error}")))?;
        let flat = filters.into_iter().map(|(name, values)| match values {
            Values::List(values) => (name, values),
            Values::Set(values) => {
                let wanted = values.into_iter().filter(|(_, wanted)| *wanted);
                (name, wanted.map(|(value, _)| value).collect())
            }
        });
        Ok(flat.collect())
    }

    /// Refuses parameters that ask for something which is not done yet, by name.
    pub fn refuse(&self, names: &[&str]) -> Answered<()> {
        match names.iter().find(|name| self.flag(name)) {
            None => Ok(()),
            Some(name) => Err(crate::error::Error::not_supported(format!("the parameter {name:?}")).into()),
        }
    }
}

fn parse_time(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let nanoseconds: i64 = match fraction {
        "" => 0,
        fraction if digits(fraction) => format!("{fraction:0<9}").parse().ok()?,
        _ => return None,
    };
    let seconds: i64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

/// Takes the `%41`s out of a text.
pub fn decode(text: &str) -> Answered<String> {
    decode_bytes(text.as_bytes())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Failure::invalid(format!("invalid URL escape in {text:?}")))
}

fn decode_bytes(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        decoded.push(match (first, rest) {
            (b'%', [high, low, after @ ..]) => {
                bytes = after;
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                (digit(high)? * 16 + digit(low)?) as u8
            }
            (b'%', _) => return None,
            (byte, _) => *byte,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).expect("a query")
    }

    #[test]
    fn switches_are_dockers() {
        for (text, on) in [
            ("", false),
            ("a", false),
            ("a=0", false),
            ("a=No", false),
            ("a=%20false+", false),
            ("a=none", false),
            ("a=1", true),
            ("a=true", true),
            ("a=off", true),
        ] {
            assert_eq!(query(text).flag("a"), on, "{text:?}");
        }
    }

    #[test]
    fn values_are_decoded() {
        let query = query("name=a%2Fb&name=c+d&t=10");
        assert_eq!(query.values("name").collect::<Vec<_>>(), ["a/b", "c d"]);
        assert_eq!(query.number("t").expect("a number"), Some(10));
        assert_eq!(query.number::<u16>("h").expect("none"), None);
        assert!(query.number::<u16>("name").is_err());
        for wrong in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert!(Query::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_nanoseconds() {
        let time = |text: &str| query(&format!("since={text}")).time("since").ok();
        assert_eq!(time("1700000000.5"), Some(Some(1_700_000_000_500_000_000)));
        assert_eq!(time("0"), Some(None));
        assert_eq!(time("yesterday"), None);
        assert_eq!(time("1.0000000001"), None);
        assert_eq!(time("99999999999999999"), None);
    }

    #[test]
    fn filters_come_in_two_forms() {
        let expected = Filters::from([("status".to_owned(), vec!["running".to_owned()])]);
        for text in [r#"{"status":["running"]}"#, r#"{"status":{"running":true,"exited":false}}"#] {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let query = query(&format!("filters={encoded}"));
            assert_eq!(query.filters().expect("filters"), expected);
        }
        assert!(query("filters=x").filters().is_err());
        assert!(query("").filters().expect("none").is_empty());
    }
}

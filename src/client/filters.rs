//! `--filter name=value`.

use serde_json::{Map, Value, json};

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    name: String,
    value: String,
}

/// Reads `name=value`.
pub fn parse(text: &str) -> Result<Filter, String> {
    let (name, value) = text.split_once('=').ok_or("bad format of filter (expected name=value)")?;
    Ok(Filter { name: name.trim().to_lowercase(), value: value.trim().to_string() })
}

/// A condition that a verb sets by itself.
pub fn of(name: &str, value: &str) -> Filter {
    Filter { name: name.to_string(), value: value.to_string() }
}

/// The API's form, `{"name":{"value":true}}`; empty when there is none.
pub fn encode(filters: &[Filter]) -> String {
    let mut names = Map::new();
    for filter in filters {
        names.entry(&filter.name).or_insert_with(|| json!({}))[&filter.value] = Value::Bool(true);
    }
    if names.is_empty() { String::new() } else { Value::Object(names).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_one_name_are_collected() {
        let filters = ["label=a=b", "label=c", "Name= x "].map(|text| parse(text).unwrap());
        assert_eq!(encode(&filters), r#"{"label":{"a=b":true,"c":true},"name":{"x":true}}"#);
        assert!(parse("x").is_err());
        assert_eq!(encode(&[]), "");
    }
}

//! The functions of templates: Go's own, and those that Docker adds.

use super::Mode;
use super::text::{is_true, plain};
use serde_json::Value;
use std::cmp::Ordering;

const NAMES: &[&str] = &[
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "eq", "ne", "lt", "le", "gt",
    "ge", "json", "split", "join", "title", "lower", "upper", "pad", "truncate",
];

/// Whether a function of that name can be called.
pub fn exists(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls a function; the error says what is wrong with its arguments.
pub fn call(name: &str, arguments: &[Value], mode: Mode) -> Result<Value, String> {
    let leaves_titles_alone = ["json", "split", "join", "title", "lower", "upper", "truncate"];
    if mode == Mode::Headers && leaves_titles_alone.contains(&name) {
        return Ok(arguments.iter().find(|argument| argument.is_string()).cloned().unwrap_or_default());
    }
    match (name, arguments) {
        ("not", [value]) => Ok((!is_true(value)).into()),
        ("len", [value]) => length(value).map(Value::from),
        ("index", [value, keys @ ..]) => keys.iter().try_fold(value.clone(), |value, key| index(&value, key)),
        ("slice", [value, bounds @ ..]) => slice(value, bounds),
        ("print", values) => Ok(print(values).into()),
        ("println", values) => Ok((values.iter().map(plain).collect::<Vec<_>>().join(" ") + "\n").into()),
        ("printf", [format, values @ ..]) => Ok(printf(string(format)?, values).into()),
        ("eq", [one, others @ ..]) if !others.is_empty() => {
            let mut equal = false;
            for other in others {
                equal |= compare(one, other)? == Ordering::Equal;
            }
            Ok(equal.into())
        }
        ("ne", [one, other]) => Ok((compare(one, other)? != Ordering::Equal).into()),
        ("lt", [one, other]) => Ok(compare(one, other)?.is_lt().into()),
        ("le", [one, other]) => Ok(compare(one, other)?.is_le().into()),
        ("gt", [one, other]) => Ok(compare(one, other)?.is_gt().into()),
        ("ge", [one, other]) => Ok(compare(one, other)?.is_ge().into()),
        ("json", [value]) => Ok(value.to_string().into()),
        ("split", [text, separator]) => {
            Ok(string(text)?.split(string(separator)?).map(Value::from).collect::<Vec<_>>().into())
        }
        ("join", [Value::Array(items), separator]) => {
            Ok(items.iter().map(plain).collect::<Vec<_>>().join(string(separator)?).into())
        }
        ("join", [Value::Null, _]) => Ok("".into()),
        ("title", [text]) => Ok(title(string(text)?).into()),
        ("lower", [text]) => Ok(string(text)?.to_lowercase().into()),
        ("upper", [text]) => Ok(string(text)?.to_uppercase().into()),
        ("pad", [text, before, after]) => Ok(pad(string(text)?, count(before)?, count(after)?).into()),
        ("truncate", [text, length]) => {
            Ok(string(text)?.chars().take(count(length)?).collect::<String>().into())
        }
        _ => Err(format!("wrong number or type of args for {name}: got {}", arguments.len())),
    }
}

/// A value's type, in Go's words.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("expected string; found {}", type_name(value)))
}

fn count(value: &Value) -> Result<usize, String> {
    let number = value.as_u64().ok_or_else(|| format!("expected integer; found {}", plain(value)))?;
    usize::try_from(number).map_err(|error| error.to_string())
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::String(text) => Ok(text.len()),
        Value::Array(items) => Ok(items.len()),
        Value::Object(map) => Ok(map.len()),
        Value::Null => Ok(0),
        other => Err(format!("len of type {}", type_name(other))),
    }
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    match (value, key) {
        (Value::Array(items), Value::Number(number)) => {
            let found = number.as_u64().and_then(|at| items.get(at as usize));
            found.cloned().ok_or_else(|| format!("index out of range: {number}"))
        }
        (Value::Object(map), Value::String(key)) => Ok(map.get(key).cloned().unwrap_or_else(|| missing(map))),
        (Value::Null, Value::String(_)) => Ok("".into()),
        (Value::Null, _) => Err("index of untyped nil".into()),
        (other, _) => Err(format!("can't index item of type {}", type_name(other))),
    }
}

/// What a typed map gives for a key that it lacks: the zero of its values' type, as far as its values tell.
fn missing(map: &serde_json::Map<String, Value>) -> Value {
    match map.values().next() {
        None | Some(Value::String(_)) => "".into(),
        _ => Value::Null,
    }
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value, String> {
    let size = length(value)?;
    let from = bounds.first().map_or(Ok(0), count)?;
    let to = bounds.get(1).map_or(Ok(size), count)?;
    if from > to || to > size {
        return Err(format!("index out of range: {}", if to > size { to } else { from }));
    }
    match value {
        Value::Array(items) => Ok(items[from..to].to_vec().into()),
        Value::String(text) => {
            text.get(from..to).map(Value::from).ok_or_else(|| "slice within a character".into())
        }
        other => Err(format!("can't slice item of type {}", type_name(other))),
    }
}

fn compare(one: &Value, other: &Value) -> Result<Ordering, String> {
    match (one, other) {
        (Value::String(one), Value::String(other)) => Ok(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Ok(one.cmp(other)),
        (Value::Null, Value::Null) => Ok(Ordering::Equal),
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().partial_cmp(&other.as_f64()).ok_or_else(|| "numbers without an order".into())
        }
        _ => Err("incompatible types for comparison".into()),
    }
}

/// Go's Sprint: a blank between two operands when neither is a string.
fn print(values: &[Value]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 && !value.is_string() && !values[at - 1].is_string() {
            text.push(' ');
        }
        text.push_str(&plain(value));
    }
    text
}

fn title(text: &str) -> String {
    let mut previous = ' ';
    let raise = |letter: char| {
        let starts = !previous.is_alphanumeric() && previous != '_' && previous != '\'';
        previous = letter;
        if starts { letter.to_uppercase().next().unwrap_or(letter) } else { letter }
    };
    text.chars().map(raise).collect()
}

fn pad(text: &str, before: usize, after: usize) -> String {
    match text {
        "" => String::new(),
        text => format!("{}{text}{}", " ".repeat(before), " ".repeat(after)),
    }
}

fn printf(format: &str, values: &[Value]) -> String {
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(|letter: char| !"+-# 0123456789.".contains(letter)).unwrap_or(rest.len());
        let (flags, tail) = rest.split_at(end);
        let Some(verb) = tail.chars().next() else {
            text.push_str("%!(NOVERB)");
            return text;
        };
        rest = &tail[verb.len_utf8()..];
        match (verb, values.next()) {
            ('%', _) => text.push('%'),
            (verb, None) => text.push_str(&format!("%!{verb}(MISSING)")),
            (verb, Some(value)) => text.push_str(&one_verb(flags, verb, value)),
        }
    }
    text.push_str(rest);
    let extra: Vec<String> = values.map(|value| format!("{}={}", type_name(value), plain(value))).collect();
    if !extra.is_empty() {
        text.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    text
}

/// One value by one verb: `%-10s`, `%05d`, `%.2f`, `%q`.
fn one_verb(flags: &str, verb: char, value: &Value) -> String {
    let size = flags.trim_start_matches(['+', '-', '#', ' ', '0']);
    let (width, precision) =
        size.split_once('.').map_or((size, None), |(width, digits)| (width, Some(digits)));
    let precision: Option<usize> = precision.map(|digits| digits.parse().unwrap_or(0));
    let body = match (verb, value) {
        ('v', value) => plain(value),
        ('s', Value::String(text)) => text.chars().take(precision.unwrap_or(usize::MAX)).collect(),
        ('s', Value::Array(_) | Value::Object(_)) => plain(value),
        ('q', Value::String(text)) => format!("{text:?}"),
        ('t', Value::Bool(flag)) => flag.to_string(),
        ('d', Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        ('x', Value::Number(number)) if number.is_u64() => format!("{:x}", number.as_u64().unwrap_or(0)),
        ('x', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('f', Value::Number(number)) if number.is_f64() => {
            format!("{:.*}", precision.unwrap_or(6), number.as_f64().unwrap_or(0.0))
        }
        (verb, value) => format!("%!{verb}({}={})", type_name(value), plain(value)),
    };
    let missing = width.parse::<usize>().unwrap_or(0).saturating_sub(body.chars().count());
    let leading = &flags[..flags.len() - size.len()];
    match (leading.contains('-'), leading.contains('0') && "dxf".contains(verb)) {
        (true, _) => body + &" ".repeat(missing),
        (false, true) => "0".repeat(missing) + &body,
        (false, false) => " ".repeat(missing) + &body,
    }
}

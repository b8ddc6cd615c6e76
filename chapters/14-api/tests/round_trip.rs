//! What dockerd 20.10 answers goes through the types and comes out the same, but for what later versions have changed.
//!
//! The answers in `dockerd/` were written by dockerd at version 1.41, about a container made with every kind of option.

#![forbid(unsafe_code)]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The differences between an answer and what comes out: `- path` is lost, `+ path` is new, `! path` is another value.
fn differences<T: DeserializeOwned + Serialize>(answer: &str) -> String {
    let before: Value = serde_json::from_str(answer).expect("JSON");
    let typed: T = api::from_request(answer.as_bytes()).expect("a value of the type");
    let after = serde_json::to_value(&typed).expect("JSON");
    let mut found = Vec::new();
    compare("", &before, &after, &mut found);
    found.sort();
    found.dedup();
    found.join("\n")
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                match new.get(name) {
                    Some(now) => compare(&format!("{path}.{name}"), value, now, found),
                    None => found.push(format!("- {path}.{name}")),
                }
            }
            let added = new.keys().filter(|name| !old.contains_key(*name));
            found.extend(added.map(|name| format!("+ {path}.{name}")));
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (old, new) in old.iter().zip(new) {
                compare(&format!("{path}[]"), old, new, found);
            }
        }
        _ if before == after => {}
        _ => found.push(format!("! {path}: {before} {after}")),
    }
}

#[test]
fn a_container() {
    let found = differences::<api::ContainerInspectResponse>(include_str!("dockerd/container.json"));
    insta::assert_snapshot!(found);
}

#[test]
fn a_list_of_containers() {
    let found = differences::<Vec<api::ContainerSummary>>(include_str!("dockerd/containers.json"));
    insta::assert_snapshot!(found);
}

#[test]
fn images() {
    let found = [
        differences::<api::ImageInspect>(include_str!("dockerd/image.json")),
        differences::<Vec<api::ImageSummary>>(include_str!("dockerd/images.json")),
        differences::<Vec<api::ImageHistoryItem>>(include_str!("dockerd/history.json")),
    ];
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn the_engine() {
    let found = [
        differences::<api::SystemInfo>(include_str!("dockerd/info.json")),
        differences::<api::SystemVersion>(include_str!("dockerd/version.json")),
    ];
    insta::assert_snapshot!(found.join("\n"));
}

/// A create that says only what it must: what is not said is what Go's zero values are on the wire.
#[test]
fn what_is_not_said() {
    insta::assert_json_snapshot!(api::ContainerCreateRequest::default());
}

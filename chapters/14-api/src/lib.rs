//! The Docker Engine API on the wire: types without behaviour.
//!
//! Field names are those of `docker-api-v1.50.yaml`, in Rust's spelling. A request may leave any field out, or say `null`; a
//! response always has the fields that Docker's always have. What a request says beyond these types is kept in `other`, so that
//! the engine can refuse it by name instead of ignoring it.
#![forbid(unsafe_code)]

mod containers;
mod exec;
mod host;
mod images;
mod networks;
mod system;

pub use containers::*;
pub use exec::*;
pub use host::*;
pub use images::*;
pub use networks::*;
pub use system::*;

use std::collections::BTreeMap;

/// Docker's maps of text to text.
pub type Texts = BTreeMap<String, String>;

/// `{}`, the value of Go's sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Empty {}

/// Reads a request's body. Go writes an absent list, map or pointer as `null`, which here is the same as leaving it out.
///
/// # Errors
/// What serde says is wrong, with the place.
pub fn from_request<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let mut value: serde_json::Value = serde_json::from_slice(body)?;
    drop_nulls(&mut value);
    serde_json::from_value(value)
}

fn drop_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_is_as_good_as_nothing_and_what_is_unknown_is_kept() {
        let body =
            br#"{"Image":"busybox","Env":null,"HostConfig":{"Memory":5,"Frobnicate":"much","CapAdd":null}}"#;
        let request: ContainerCreateRequest = from_request(body).unwrap();
        assert_eq!(request.config.image, "busybox");
        assert_eq!(request.config.env, None);
        assert_eq!(request.host_config.memory, 5);
        assert_eq!(request.host_config.other["Frobnicate"], "much");
    }
}

//! Reading what a client sent.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// Reads a request's body. To Go, and so to every client, `null` is the same as a field that was left out.
///
/// # Errors
/// What is wrong, and where.
pub fn from_request<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body).or_else(|refusal| {
        let mut value: Value = serde_json::from_slice(body)?;
        drop_nulls(&mut value);
        // From bytes once more: the compiler then makes one reader of each type, not two.
        serde_json::from_slice(&serde_json::to_vec(&value)?).map_err(|_| refusal)
    })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A command as a list of words, or, from old clients, as one text, which is then one word.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
    }
    Ok(Option::<Words>::deserialize(deserializer)?.map(|words| match words {
        Words::One(word) => vec![word],
        Words::Many(words) => words,
    }))
}

#[cfg(test)]
mod tests {
    use crate::*;

    #[test]
    fn a_null_is_as_good_as_nothing() {
        let body = br#"{"Image":"busybox","Hostname":null,"Env":null,"ExposedPorts":{"80/tcp":null},
            "HostConfig":{"Memory":5,"NetworkMode":null,"CapAdd":null}}"#;
        let request: ContainerCreateRequest = from_request(body).unwrap();
        assert_eq!(request.config.image, "busybox");
        assert_eq!(request.config.hostname, "");
        assert_eq!(request.config.env, None);
        assert_eq!(request.host_config.memory, 5);
        assert_eq!(request.host_config.cap_add, None);
    }

    #[test]
    fn a_set_is_its_keys() {
        let request: ContainerCreateRequest =
            from_request(br#"{"ExposedPorts":{"80/tcp":null,"81/udp":{}}}"#).unwrap();
        assert_eq!(request.config.exposed_ports.unwrap().len(), 2);
    }

    #[test]
    fn a_command_may_be_one_word() {
        let request: ContainerCreateRequest =
            from_request(br#"{"Cmd":"true","Entrypoint":["sh","-c"],"Frobnicate":1}"#).unwrap();
        assert_eq!(request.config.cmd, Some(vec!["true".to_owned()]));
        assert_eq!(request.config.entrypoint, Some(vec!["sh".to_owned(), "-c".to_owned()]));
    }

    #[test]
    fn a_refusal_names_the_place() {
        let refusal =
            from_request::<ContainerCreateRequest>(br#"{"HostConfig":{"Memory":"much","CpuShares":null}}"#);
        insta::assert_snapshot!(refusal.unwrap_err(), @r#"invalid type: string "much", expected i64 at line 1 column 30"#);
    }
}

//! `--volume` and `--mount`: what is mounted where.

use crate::client::units::parse_bytes;
use serde_json::{Map, Value, json};

/// One mount as the API takes it.
#[derive(Clone, Debug)]
pub struct Mount(pub Value);

/// What one `--volume` asks for.
#[derive(Debug, PartialEq)]
pub enum Volume {
    /// A bind or a named volume: `source:target[:options]`, the source made absolute when it begins with a dot.
    Bind(String),
    /// A volume without a name at this place.
    Anonymous(String),
}

/// Reads `[source:]target[:options]`. What is wrong with the parts is the daemon's to say, which knows them.
pub fn volume(text: &str) -> Volume {
    match text.split_once(':') {
        None => Volume::Anonymous(text.to_string()),
        Some((source, rest)) => Volume::Bind(format!("{}:{rest}", absolute(source))),
    }
}

/// A path that begins with a dot is relative to our own folder, not to the daemon's; other names without a slash are
/// volumes.
fn absolute(path: &str) -> String {
    if !path.starts_with('.') {
        return path.to_string();
    }
    let joined = std::env::current_dir().unwrap_or_default().join(path);
    let mut clean: Vec<&std::ffi::OsStr> = Vec::new();
    for part in joined.components() {
        match part {
            std::path::Component::ParentDir => drop(clean.pop()),
            std::path::Component::Normal(name) => clean.push(name),
            _ => {}
        }
    }
    format!(
        "/{}",
        clean
            .iter()
            .map(|name| name.to_string_lossy())
            .collect::<Vec<_>>()
            .join("/")
    )
}

/// Reads `type=bind,source=…,target=…,readonly,…`.
pub fn parse(text: &str) -> Result<Mount, String> {
    let mut mount = Options {
        kind: "volume".into(),
        ..Options::default()
    };
    for field in fields(text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        mount.set(&key, value, &field)?;
    }
    mount.check()?;
    Ok(Mount(mount.to_json()))
}

/// The fields between commas; one that begins with a quote may hold commas, as in a CSV file.
fn fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let Some(quoted) = text.strip_prefix('"') else {
            let (field, next) = text
                .split_once(',')
                .map_or((text, None), |(field, next)| (field, Some(next)));
            fields.push(field.to_string());
            rest = next;
            continue;
        };
        let mut field = String::new();
        let mut tail = quoted;
        loop {
            let end = tail.find('"').ok_or("extraneous or missing \" in quoted-field")?;
            field.push_str(&tail[..end]);
            tail = &tail[end + 1..];
            match tail.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    tail = more;
                }
                None => break,
            }
        }
        fields.push(field);
        rest = tail.strip_prefix(',');
    }
    Ok(fields)
}

/// A mount's fields while they are read. Options of each kind are kept by the API's names.
#[derive(Default)]
struct Options {
    kind: String,
    source: String,
    target: String,
    readonly: bool,
    consistency: String,
    bind: Map<String, Value>,
    volume: Map<String, Value>,
    driver: Map<String, Value>,
    tmpfs: Map<String, Value>,
    image: Map<String, Value>,
}

impl Options {
    fn set(&mut self, key: &str, value: Option<&str>, field: &str) -> Result<(), String> {
        let invalid = |value: &str| format!("invalid value for {key}: {value}");
        let flag = |value: Option<&str>| match value {
            None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
            Some(other) => Err(invalid(other)),
        };
        match (key, value) {
            ("readonly" | "ro", value) => self.readonly = flag(value)?,
            ("volume-nocopy", value) => set(&mut self.volume, "NoCopy", flag(value)?),
            ("bind-nonrecursive", value) => set(&mut self.bind, "NonRecursive", flag(value)?),
            (_, None) => return Err(format!("invalid field '{field}' must be a key=value pair")),
            ("type", Some(value)) => self.kind = value.to_lowercase(),
            ("source" | "src", Some(value)) => self.source = absolute(value),
            ("target" | "dst" | "destination", Some(value)) => self.target = value.to_string(),
            ("consistency", Some(value)) => self.consistency = value.to_lowercase(),
            ("bind-propagation", Some(value)) => set(&mut self.bind, "Propagation", value.to_lowercase()),
            ("bind-recursive", Some(value)) => self.bind_recursive(value)?,
            ("volume-subpath", Some(value)) => set(&mut self.volume, "Subpath", value),
            ("volume-label", Some(value)) => pair(&mut self.volume, "Labels", value),
            ("volume-driver", Some(value)) => set(&mut self.driver, "Name", value),
            ("volume-opt", Some(value)) => pair(&mut self.driver, "Options", value),
            ("image-subpath", Some(value)) => set(&mut self.image, "Subpath", value),
            ("tmpfs-size", Some(value)) => {
                set(
                    &mut self.tmpfs,
                    "SizeBytes",
                    parse_bytes(value).map_err(|_| invalid(value))?,
                );
            }
            ("tmpfs-mode", Some(value)) => {
                set(
                    &mut self.tmpfs,
                    "Mode",
                    u32::from_str_radix(value, 8).map_err(|_| invalid(value))?,
                );
            }
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
        Ok(())
    }

    fn bind_recursive(&mut self, value: &str) -> Result<(), String> {
        let name = match value {
            "enabled" => return Ok(()),
            "disabled" => "NonRecursive",
            "writable" => "ReadOnlyNonRecursive",
            "readonly" => "ReadOnlyForceRecursive",
            _ => {
                let allowed = r#"(must be "enabled", "disabled", "writable", or "readonly")"#;
                return Err(format!("invalid value for bind-recursive: {value} {allowed}"));
            }
        };
        set(&mut self.bind, name, true);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.kind.is_empty() {
            return Err("type is required".into());
        }
        if self.target.is_empty() {
            return Err("target is required".into());
        }
        let volume = !self.volume.is_empty() || !self.driver.is_empty();
        let given = [
            ("volume", volume),
            ("image", !self.image.is_empty()),
            ("bind", !self.bind.is_empty()),
        ];
        for (kind, given) in given.into_iter().chain([("tmpfs", !self.tmpfs.is_empty())]) {
            if given && self.kind != kind {
                return Err(format!(
                    "cannot mix '{kind}-*' options with mount type '{}'",
                    self.kind
                ));
            }
        }
        for (name, value) in [
            ("ReadOnlyNonRecursive", "writable"),
            ("ReadOnlyForceRecursive", "readonly"),
        ] {
            if self.bind.contains_key(name) && !self.readonly {
                return Err(format!(
                    "option 'bind-recursive={value}' requires 'readonly' to be specified in conjunction"
                ));
            }
        }
        if self.bind.contains_key("ReadOnlyForceRecursive")
            && self.bind.get("Propagation") != Some(&"rprivate".into())
        {
            let needed = "'bind-propagation=rprivate' to be specified in conjunction";
            return Err(format!("option 'bind-recursive=readonly' requires {needed}"));
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let mut mount = Map::new();
        mount.insert("Type".into(), self.kind.as_str().into());
        for (name, text) in [
            ("Source", &self.source),
            ("Target", &self.target),
            ("Consistency", &self.consistency),
        ] {
            if !text.is_empty() {
                mount.insert(name.into(), text.as_str().into());
            }
        }
        if self.readonly {
            mount.insert("ReadOnly".into(), true.into());
        }
        let mut volume = self.volume.clone();
        if !self.driver.is_empty() {
            volume.insert("DriverConfig".into(), self.driver.clone().into());
        }
        let options = [
            ("BindOptions", &self.bind),
            ("VolumeOptions", &volume),
            ("TmpfsOptions", &self.tmpfs),
        ];
        for (name, options) in options.into_iter().chain([("ImageOptions", &self.image)]) {
            if !options.is_empty() {
                mount.insert(name.into(), options.clone().into());
            }
        }
        mount.into()
    }
}

fn set(options: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    options.insert(name.to_string(), value.into());
}

fn pair(options: &mut Map<String, Value>, name: &str, text: &str) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if !key.is_empty() {
        options.entry(name).or_insert_with(|| json!({}))[key] = value.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes() {
        let bind = |text: &str| Volume::Bind(text.to_string());
        assert_eq!(volume("/data"), Volume::Anonymous("/data".into()));
        assert_eq!(volume("/a:/b:ro"), bind("/a:/b:ro"));
        assert_eq!(volume("name:/b"), bind("name:/b"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(volume("./x/../y:/b"), bind(&format!("{}/y:/b", here.display())));
        assert_eq!(volume("a::b"), bind("a::b"));
    }

    #[test]
    fn mounts() {
        let shown = |text: &str| match parse(text) {
            Ok(mount) => mount.0.to_string(),
            Err(error) => error,
        };
        let texts = [
            "type=bind,source=/a,target=/b,readonly",
            "type=bind,src=/a,dst=/b,bind-propagation=rslave,bind-recursive=disabled",
            "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777",
            "source=data,target=/d,volume-opt=a=b,\"volume-label=x=1,2\"",
            "type=tmpfs,target=/t,bind-propagation=shared",
            "type=bind,source=/a",
            "type=bind,source=/a,target=/b,nosuch=1",
            "type=bind,source=/a,target=/b,nosuch",
            "type=bind,source=/a,target=/b,ro=perhaps",
            "type=bind,source=/a,target=/b,bind-recursive=readonly",
        ];
        insta::assert_snapshot!(texts.map(|text| format!("{text}\n  {}\n", shown(text))).concat());
    }
}

//! `--volume` and `--mount`: what is mounted where.

use crate::client::flags::switch;
use crate::client::units::parse_bytes;
use api::{Mount, VolumeDriver, VolumeOptions};
use std::collections::BTreeMap;

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
    format!("/{}", clean.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// Reads `type=bind,source=…,target=…,readonly,…`.
pub fn parse(text: &str) -> Result<Mount, String> {
    let mut mount = Mount { kind: "volume".into(), ..Mount::default() };
    for field in fields(text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        match value {
            Some(value) => set(&mut mount, &key, value, &field)?,
            None => set_flag(&mut mount, &key, &field)?,
        }
    }
    check(&mount)?;
    Ok(mount)
}

/// The fields between commas; one that begins with a quote may hold commas, as in a CSV file.
fn fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let Some(quoted) = text.strip_prefix('"') else {
            let (field, next) =
                text.split_once(',').map_or((text, None), |(field, next)| (field, Some(next)));
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

/// A key without a value.
fn set_flag(mount: &mut Mount, key: &str, field: &str) -> Result<(), String> {
    match key {
        "readonly" | "ro" | "volume-nocopy" | "bind-nonrecursive" => set(mount, key, "true", field),
        _ => Err(format!("invalid field '{field}' must be a key=value pair")),
    }
}

fn set(mount: &mut Mount, key: &str, value: &str, field: &str) -> Result<(), String> {
    let invalid = || format!("invalid value for {key}: {value}");
    let flag = || switch(value).map_err(|_| invalid());
    match key {
        "type" => mount.kind = value.to_lowercase(),
        "source" | "src" => mount.source = absolute(value),
        "target" | "dst" | "destination" => mount.target = value.to_string(),
        "readonly" | "ro" => mount.read_only = flag()?,
        "consistency" => mount.consistency = value.to_lowercase(),
        "bind-propagation" => mount.bind_options.get_or_insert_default().propagation = value.to_lowercase(),
        "bind-nonrecursive" => mount.bind_options.get_or_insert_default().non_recursive = flag()?,
        "bind-recursive" => set_recursive(mount, value)?,
        "volume-subpath" => mount.volume_options.get_or_insert_default().subpath = value.to_string(),
        "volume-nocopy" => mount.volume_options.get_or_insert_default().no_copy = flag()?,
        "volume-label" => insert(&mut mount.volume_options.get_or_insert_default().labels, value),
        "volume-driver" => driver(mount).name = value.to_string(),
        "volume-opt" => insert(&mut driver(mount).options, value),
        "image-subpath" => mount.image_options.get_or_insert_default().subpath = value.to_string(),
        "tmpfs-size" => {
            let size = parse_bytes(value).map_err(|_| invalid())?;
            mount.tmpfs_options.get_or_insert_default().size_bytes = size;
        }
        "tmpfs-mode" => {
            let mode = u32::from_str_radix(value, 8).map_err(|_| invalid())?;
            mount.tmpfs_options.get_or_insert_default().mode = mode;
        }
        _ => return Err(format!("unexpected key '{key}' in '{field}'")),
    }
    Ok(())
}

fn driver(mount: &mut Mount) -> &mut VolumeDriver {
    let options: &mut VolumeOptions = mount.volume_options.get_or_insert_default();
    options.driver_config.get_or_insert_default()
}

fn insert(map: &mut Option<BTreeMap<String, String>>, pair: &str) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if !key.is_empty() {
        map.get_or_insert_default().insert(key.to_string(), value.to_string());
    }
}

fn set_recursive(mount: &mut Mount, value: &str) -> Result<(), String> {
    let options = mount.bind_options.get_or_insert_default();
    match value {
        "enabled" => {}
        "disabled" => options.non_recursive = true,
        "writable" => options.read_only_non_recursive = true,
        "readonly" => options.read_only_force_recursive = true,
        _ => {
            let allowed = r#"(must be "enabled", "disabled", "writable", or "readonly")"#;
            return Err(format!("invalid value for bind-recursive: {value} {allowed}"));
        }
    }
    Ok(())
}

fn check(mount: &Mount) -> Result<(), String> {
    if mount.kind.is_empty() {
        return Err("type is required".into());
    }
    if mount.target.is_empty() {
        return Err("target is required".into());
    }
    let given = [
        ("volume", mount.volume_options.is_some()),
        ("image", mount.image_options.is_some()),
        ("bind", mount.bind_options.is_some()),
        ("tmpfs", mount.tmpfs_options.is_some()),
    ];
    if let Some((kind, _)) = given.iter().find(|(kind, given)| *given && mount.kind != *kind) {
        return Err(format!("cannot mix '{kind}-*' options with mount type '{}'", mount.kind));
    }
    let options = mount.bind_options.clone().unwrap_or_default();
    let needs = |value: &str, what: &str| {
        Err(format!("option 'bind-recursive={value}' requires '{what}' to be specified in conjunction"))
    };
    match () {
        () if options.read_only_non_recursive && !mount.read_only => needs("writable", "readonly"),
        () if options.read_only_force_recursive && !mount.read_only => needs("readonly", "readonly"),
        () if options.read_only_force_recursive && options.propagation != "rprivate" => {
            needs("readonly", "bind-propagation=rprivate")
        }
        () => Ok(()),
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
            Ok(mount) => serde_json::to_string(&mount).unwrap(),
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

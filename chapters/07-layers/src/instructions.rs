//! Dockerfile instructions that change an image's config: what `import --change` takes.

use images::{Empty, RunConfig};

use crate::{Error, ErrorKind, Result};

/// Applies one instruction, such as `CMD ["sh"]` or `ENV PATH=/bin`. InvalidParameter in Docker's words for any other.
pub fn apply(instruction: &str, config: &mut RunConfig) -> Result<()> {
    let text = instruction.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (word, rest) = (word.to_ascii_lowercase(), rest.trim());
    let known = [
        "cmd",
        "entrypoint",
        "env",
        "expose",
        "label",
        "onbuild",
        "user",
        "volume",
        "workdir",
        "healthcheck",
        "stopsignal",
    ];
    if !known.contains(&word.as_str()) {
        return Err(invalid(format!("{word} is not a valid change command")));
    }
    if word == "healthcheck" {
        return Err(Error::new(ErrorKind::NotSupported, "the change command HEALTHCHECK is not supported"));
    }
    let upper = word.to_ascii_uppercase();
    if rest.is_empty() && word != "cmd" && word != "entrypoint" {
        return Err(invalid(format!("{upper} requires at least one argument")));
    }
    match word.as_str() {
        "cmd" => config.cmd = Some(command(rest)),
        "entrypoint" => config.entrypoint = Some(command(rest)),
        "env" => {
            for (name, value) in pairs(rest, "ENV", config)? {
                config.env.retain(|line| line.split('=').next() != Some(&name));
                config.env.push(format!("{name}={value}"));
            }
        }
        "label" => config.labels.extend(pairs(rest, "LABEL", config)?),
        "expose" => {
            for port in words(rest, config)? {
                config.exposed_ports.insert(exposed(&port)?, Empty {});
            }
        }
        "volume" => {
            let folders = json_list(rest).map_or_else(|| words(rest, config), Ok)?;
            config.volumes.extend(folders.into_iter().map(|folder| (folder, Empty {})));
        }
        "user" => config.user = one(rest, "USER", config)?,
        "stopsignal" => config.stop_signal = one(rest, "STOPSIGNAL", config)?,
        "workdir" => config.working_dir = working_dir(&one(rest, "WORKDIR", config)?, &config.working_dir),
        _ => config.on_build.push(on_build(rest)?),
    }
    Ok(())
}

/// The exec form as it is; the shell form through the shell.
fn command(text: &str) -> Vec<String> {
    json_list(text).unwrap_or_else(|| match text {
        "" => Vec::new(),
        text => vec!["/bin/sh".into(), "-c".into(), text.into()],
    })
}

fn json_list(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') { serde_json::from_str(text).ok() } else { None }
}

/// `a=b c="d e"`, or the old form `a b c`.
fn pairs(text: &str, instruction: &str, config: &RunConfig) -> Result<Vec<(String, String)>> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = text
            .split_once(char::is_whitespace)
            .ok_or_else(|| invalid(format!("{instruction} must have two arguments")))?;
        return Ok(vec![(name.into(), words(value.trim(), config)?.join(" "))]);
    }
    let pair = |word: String| {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            invalid(format!("Syntax error - can't find = in {word:?}. Must be of the form: name=value"))
        })?;
        match name {
            "" => Err(invalid(format!("{instruction} names can not be blank"))),
            name => Ok((name.to_string(), value.to_string())),
        }
    };
    words(text, config)?.into_iter().map(pair).collect()
}

fn one(text: &str, instruction: &str, config: &RunConfig) -> Result<String> {
    match words(text, config)?.as_slice() {
        [word] => Ok(word.clone()),
        _ => Err(invalid(format!("{instruction} requires exactly one argument"))),
    }
}

/// `80`, `80/udp`: with its protocol.
fn exposed(port: &str) -> Result<String> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let fine = number.parse::<u16>().is_ok() && ["tcp", "udp", "sctp"].contains(&protocol.as_str());
    if fine {
        Ok(format!("{number}/{protocol}"))
    } else {
        Err(invalid(format!("invalid containerPort: {port}")))
    }
}

/// A relative folder counts from the one before it.
fn working_dir(folder: &str, before: &str) -> String {
    let path = if folder.starts_with('/') { folder.to_string() } else { format!("{before}/{folder}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => (),
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn on_build(instruction: &str) -> Result<String> {
    let word = instruction.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    match word.as_str() {
        "ONBUILD" => Err(invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".into())),
        "MAINTAINER" | "FROM" => Err(invalid(format!("{word} isn't allowed as an ONBUILD trigger"))),
        _ => Ok(instruction.into()),
    }
}

/// Words as a Dockerfile has them: single and double quotes, a backslash before any character, `$NAME` and `${NAME}` out of the
/// environment so far.
fn words(text: &str, config: &RunConfig) -> Result<Vec<String>> {
    let (mut words, mut word, mut begun, mut quote) = (Vec::new(), String::new(), false, None);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => (quote, begun) = (Some(c), true),
            '\\' if quote != Some('\'') => word.extend(rest.next()),
            '$' if quote != Some('\'') => word.push_str(&variable(&mut rest, config)?),
            c if c.is_whitespace() && quote.is_none() => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => word.push(c),
        }
    }
    if quote.is_some() {
        return Err(invalid("unexpected end of statement while looking for matching quote".into()));
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn variable(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, config: &RunConfig) -> Result<String> {
    let braced = rest.next_if_eq(&'{').is_some();
    let mut name = String::new();
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    if braced && rest.next() != Some('}') {
        return Err(invalid(format!("unsupported modifier in substitution of {name}")));
    }
    let value = config.env.iter().find_map(|line| line.strip_prefix(&name)?.strip_prefix('='));
    Ok(value.unwrap_or_default().to_string())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidParameter, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_a_config_as_docker_does() {
        let mut config = RunConfig::default();
        let changes = [
            "CMD [\"sh\", \"-c\", \"x\"]",
            "ENTRYPOINT echo hi",
            "ENV A=b C=\"d e\"",
            "env A=$C/${A}",
            "ENV OLD style value",
            "EXPOSE 80 53/UDP",
            "LABEL a=1 \"b c\"='$A'",
            "USER app:app",
            "WORKDIR /srv",
            "WORKDIR ../opt/./x",
            "VOLUME [\"/a\"]",
            "VOLUME /b /c",
            "ONBUILD RUN true",
            "STOPSIGNAL SIGINT",
        ];
        for change in changes {
            apply(change, &mut config).unwrap();
        }
        insta::assert_snapshot!(serde_json::to_string_pretty(&config).unwrap());
    }

    #[test]
    fn refuses_in_dockers_words() {
        let changes = [
            "RUN true",
            "FROM x",
            "",
            "ENV",
            "ENV A",
            "ENV A=1 B",
            "ENV =x",
            "USER a b",
            "EXPOSE http",
            "HEALTHCHECK NONE",
            "ONBUILD ONBUILD RUN x",
            "LABEL a='b",
            "ENV A=${B:-c}",
        ];
        let refusals: Vec<String> = changes
            .iter()
            .map(|change| format!("{change:?}: {}", apply(change, &mut RunConfig::default()).unwrap_err()))
            .collect();
        insta::assert_snapshot!(refusals.join("\n"));
    }
}

//! Which daemon to talk to: `-H`, `CORACLE_HOST`, `DOCKER_HOST`, or our own, started on demand.

use super::failure::{Error, ErrorKind, Result};
use crate::daemon::Places;
use std::path::PathBuf;

/// A daemon's address.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The path of its Unix socket.
    pub socket: PathBuf,
    /// Nobody named it, so that it is ours to start.
    pub on_demand: bool,
}

impl Host {
    /// Takes the first address named: by flag, by environment; else the default of this user.
    pub fn choose(flag: Option<&str>) -> Result<Host> {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match flag.map(str::to_string).or_else(|| named("CORACLE_HOST")).or_else(|| named("DOCKER_HOST")) {
            Some(address) => Ok(Host { socket: parse(&address)?, on_demand: false }),
            None => Ok(Host { socket: own_places()?.socket(), on_demand: true }),
        }
    }

    /// The address as users write it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }
}

/// `unix:///run/coracle/coracle.sock` or a bare path -> the socket's path.
fn parse(address: &str) -> Result<PathBuf> {
    match address.split_once("://") {
        Some(("unix", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some((scheme, _)) => Err(Error::not_supported(format!("a {scheme}:// host"))),
        None if address.starts_with('/') => Ok(PathBuf::from(address)),
        None => Err(Error::usage(format!("unable to parse docker host `{address}`"))),
    }
}

/// Where a daemon of our own lives.
fn own_places() -> Result<Places> {
    Places::of_caller().map_err(|error| Error::new(ErrorKind::Local, format!("coracle: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_unix_socket() {
        assert_eq!(parse("unix:///run/x.sock").unwrap(), PathBuf::from("/run/x.sock"));
        assert_eq!(parse("/run/x.sock").unwrap(), PathBuf::from("/run/x.sock"));
        assert_eq!(
            parse("tcp://1.2.3.4:2375").unwrap_err().to_string(),
            "coracle: a tcp:// host is not supported yet"
        );
        assert!(parse("nonsense").is_err());
    }
}

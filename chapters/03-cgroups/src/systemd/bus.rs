//! Long tail: what systemd is asked over D-Bus, one call a question (org.freedesktop.systemd1(5)).

use super::{Property, Value};
use crate::{Error, Result};
use nix::unistd::geteuid;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use zbus::blocking::{Proxy, connection};
use zbus::zvariant::{OwnedObjectPath, Value as Variant};

/// How long systemd may take for an answer, or a job.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it says when a unit is not there.
const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// The machine's systemd, or a user's.
pub struct Manager(Proxy<'static>);

/// A job that has ended, and how.
type Ended = (OwnedObjectPath, String);

/// A property as the call takes it.
type Pair<'a> = (&'a str, Variant<'a>);

/// Units that begin with this one; there are none.
const NO_OTHERS: [(&str, &[Pair<'_>]); 0] = [];

impl Manager {
    /// Over the machine's bus, or that of the user's session: $DBUS_SESSION_BUS_ADDRESS or $XDG_RUNTIME_DIR/bus.
    ///
    /// zbus reads the socket in a thread of its own: a process that asks systemd makes no other by clone3 afterwards.
    pub fn connect(of_user: bool) -> Result<Manager> {
        let remedy = match of_user {
            true => {
                "the bus of this user's session is looked for at $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR/bus; without a \
                 login: loginctl enable-linger USER"
            }
            false => "the machine's bus does not answer (Debian package dbus)",
        };
        let connected = proxy(of_user).map(Manager);
        connected.map_err(|error| Error::system(format_args!("systemd cannot be asked: {error}; {remedy}")))
    }

    /// Makes a unit that is forgotten when it has ended, and waits until it is there.
    pub fn start(&self, unit: &str, properties: &[Property]) -> Result<()> {
        let pairs: Vec<Pair<'_>> = properties.iter().map(pair).collect();
        let asked = self.job("StartTransientUnit", |proxy, method| {
            // "fail": a unit of this name that others have made is not replaced.
            proxy.call(method, &(unit, "fail", &pairs, &NO_OTHERS[..]))
        });
        asked.map_err(|error| refused("StartTransientUnit", unit, error))
    }

    /// Changes a unit until it ends.
    pub fn set(&self, unit: &str, properties: &[Property]) -> Result<()> {
        let pairs: Vec<Pair<'_>> = properties.iter().map(pair).collect();
        let only_until_reboot = true;
        let set: zbus::Result<()> = self.0.call("SetUnitProperties", &(unit, only_until_reboot, &pairs));
        set.map_err(|error| refused("SetUnitProperties", unit, Refusal::Bus(error)))
    }

    /// Stops a unit, and forgets it even if it failed. One that is not there is no error.
    pub fn stop(&self, unit: &str) -> Result<()> {
        match self.job("StopUnit", |proxy, method| proxy.call(method, &(unit, "replace"))) {
            Err(Refusal::Bus(error)) if is_absent(&error) => return Ok(()),
            stopped => stopped.map_err(|error| refused("StopUnit", unit, error))?,
        }
        let forgotten: zbus::Result<()> = self.0.call("ResetFailedUnit", &(unit,));
        match forgotten {
            Err(error) if !is_absent(&error) => Err(refused("ResetFailedUnit", unit, Refusal::Bus(error))),
            _ => Ok(()),
        }
    }

    /// Asks for a job, and waits until it is done.
    fn job(
        &self,
        method: &'static str,
        ask: impl FnOnce(&Proxy<'static>, &'static str) -> zbus::Result<OwnedObjectPath>,
    ) -> std::result::Result<(), Refusal> {
        // Before it is asked for: it may be done before its number is known.
        let ended = self.watch_jobs()?;
        let job = ask(&self.0, method)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match ended.recv_timeout(left) {
                Ok((other, _)) if other != job => {}
                Ok((_, result)) if result == "done" => return Ok(()),
                Ok((_, result)) => return Err(Refusal::Job(result)),
                Err(_) => return Err(Refusal::Job(format!("not done in {} s", PATIENCE.as_secs()))),
            }
        }
    }

    /// The jobs that end from now on. The bus's iterator waits without a limit; so another thread does.
    fn watch_jobs(&self) -> zbus::Result<Receiver<Ended>> {
        let signals = self.0.receive_signal("JobRemoved")?;
        let _: () = self.0.call("Subscribe", &())?;
        let (tell, ended) = channel();
        std::thread::spawn(move || {
            for signal in signals {
                let said: zbus::Result<(u32, OwnedObjectPath, String, String)> = signal.body().deserialize();
                let Ok((_, job, _, result)) = said else { continue };
                if tell.send((job, result)).is_err() {
                    break;
                }
            }
        });
        Ok(ended)
    }
}

fn proxy(of_user: bool) -> zbus::Result<Proxy<'static>> {
    let mut bus = if of_user { connection::Builder::session()? } else { connection::Builder::system()? };
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    if let Some(number) = number_outside(&map, geteuid().as_raw()) {
        bus = bus.user_id(number);
    }
    let connection = bus.method_timeout(PATIENCE).build()?;
    let (name, path) = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1");
    Proxy::new_owned(connection, name, path, "org.freedesktop.systemd1.Manager")
}

/// Who we are outside of our user namespace: that is whom the bus sees, and whom it wants to be told (user_namespaces(7)).
fn number_outside(map: &str, own: u32) -> Option<u32> {
    map.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(|word| word.parse::<u32>().ok());
        let (inside, outside, count) = (numbers.next()??, numbers.next()??, numbers.next()??);
        own.checked_sub(inside).filter(|above| *above < count).map(|above| outside + above)
    })
}

/// Why there is no unit, or still one.
enum Refusal {
    /// The call failed.
    Bus(zbus::Error),
    /// The job did: `failed`, `canceled`, `timeout`, …
    Job(String),
}

impl From<zbus::Error> for Refusal {
    fn from(error: zbus::Error) -> Refusal {
        Refusal::Bus(error)
    }
}

fn is_absent(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::MethodError(name, ..) if name.as_str() == NO_SUCH_UNIT)
}

/// In systemd's own words, behind the call as strace would print it.
fn refused(method: &str, unit: &str, refusal: Refusal) -> Error {
    let why = match refusal {
        Refusal::Bus(zbus::Error::MethodError(_, Some(said), _)) => said,
        Refusal::Bus(error) => error.to_string(),
        Refusal::Job(result) => format!("its job: {result}"),
    };
    Error::system(format_args!("systemd: {method}({unit:?}) = {why}"))
}

fn pair(property: &Property) -> Pair<'_> {
    let value = match &property.value {
        Value::Flag(flag) => Variant::from(*flag),
        Value::Number(number) => Variant::from(*number),
        Value::Text(text) => Variant::from(text.as_str()),
        Value::Processes(pids) => Variant::from(pids.as_slice()),
        Value::Bits(bytes) => Variant::from(bytes.as_slice()),
        Value::Devices(list) => Variant::from(list.clone()),
    };
    (&property.name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_user_namespace_is_another_one_outside() {
        let map = "         0       1000          1\n         1     100000      65536\n";
        assert_eq!([0, 1, 7].map(|own| number_outside(map, own)), [Some(1000), Some(100_000), Some(100_006)]);
        assert_eq!(number_outside("0 0 4294967295\n", 7), Some(7));
        assert_eq!(number_outside("0 1000 1\n", 7), None);
    }
}

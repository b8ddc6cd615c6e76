//! Long tail: in place of the bus, where a build has none: nothing is asked, and that is said.

use super::Property;
use crate::{Error, Result};

/// Nobody: [`available`](super::available) says so before there is anything to ask.
pub enum Manager {}

impl Manager {
    pub fn connect(_of_user: bool) -> Result<Manager> {
        Err(Error::not_supported("this build cannot ask systemd: build with --features systemd"))
    }

    pub fn start(&self, _unit: &str, _properties: &[Property]) -> Result<()> {
        match *self {}
    }

    pub fn set(&self, _unit: &str, _properties: &[Property]) -> Result<()> {
        match *self {}
    }

    pub fn stop(&self, _unit: &str) -> Result<()> {
        match *self {}
    }
}

//! Stage: namespaces in JSON, by their names, for those who hand a plan to another program.

use crate::Namespaces;
use serde::{Deserialize, Serialize};

impl Serialize for Namespaces {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter_names().map(|(name, _)| name))
    }
}

impl<'de> Deserialize<'de> for Namespaces {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Namespaces, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let flag = |name: &String| {
            Namespaces::from_name(name)
                .ok_or_else(|| serde::de::Error::custom(format!("no namespace {name}")))
        };
        names.iter().map(flag).collect()
    }
}

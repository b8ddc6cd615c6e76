//! Long tail: words of the specification that the types by which it is read spell in another way (oci-spec 0.10,
//! `LinuxSchedulerFlag`): what has them is read once more.

use crate::{Error, Result};
use serde_json::Value;

/// As config.md has it ("Linux Process", `scheduler`), and as the types have it.
const WORDS: [(&str, &str); 2] = [
    ("SCHED_FLAG_RESET_ON_FORK", "SCHED_RESET_ON_FORK"),
    ("SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_D_L_OVERRUN"),
];

/// Where they are, in a config.json and in a process by itself.
const PLACES: [&str; 2] = ["/process/scheduler/flags", "/scheduler/flags"];

/// Reads a text that was `refused` again, with the types' words; an error tells those of the specification.
pub fn read_respelt<T>(json: &[u8], refused: Error, read: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
    let Ok(mut document) = serde_json::from_slice::<Value>(json) else { return Err(refused) };
    for place in PLACES {
        for word in document.pointer_mut(place).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some((_, respelt)) = WORDS.iter().find(|(specified, _)| word == specified) {
                *word = (*respelt).into();
            }
        }
    }
    let json = serde_json::to_vec(&document).map_err(Error::system)?;
    read(&json).map_err(|error| {
        let specified = |text: String, (specified, respelt): &(&str, &str)| {
            text.replace(&format!("`{respelt}`"), &format!("`{specified}`"))
        };
        Error::new(error.kind(), WORDS.iter().fold(error.to_string(), specified))
    })
}

#[cfg(test)]
mod tests {
    use crate::document::from_json;
    use oci_spec::runtime::Process;

    fn read(flag: &str) -> Result<Process, String> {
        let json = format!(
            r#"{{"cwd": "/", "user": {{"uid": 0, "gid": 0}}, "scheduler": {{"policy": "SCHED_RR", "flags": ["{flag}"]}}}}"#
        );
        from_json(json.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_flag_of_the_specification_is_known() {
        let flags = [
            "RESET_ON_FORK",
            "RECLAIM",
            "DL_OVERRUN",
            "KEEP_POLICY",
            "KEEP_PARAMS",
            "UTIL_CLAMP_MIN",
            "UTIL_CLAMP_MAX",
        ];
        for (bit, flag) in flags.iter().enumerate() {
            let process = read(&format!("SCHED_FLAG_{flag}")).unwrap();
            let flags = process.scheduler().as_ref().unwrap().flags().as_ref().unwrap();
            assert_eq!(flags.iter().map(|flag| *flag as usize).collect::<Vec<_>>(), [bit], "{flag}");
        }
    }

    #[test]
    fn another_word_is_refused_with_those_of_the_specification() {
        let refused = read("SCHED_FLAG_X").unwrap_err();
        assert!(refused.starts_with("scheduler.flags[0]: unknown variant `SCHED_FLAG_X`"), "{refused}");
        assert!(
            refused.contains("`SCHED_FLAG_RESET_ON_FORK`, `SCHED_FLAG_RECLAIM`, `SCHED_FLAG_DL_OVERRUN`"),
            "{refused}"
        );
    }
}

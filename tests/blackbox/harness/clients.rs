//! Clients with something on their standard input: a pipe, or a terminal of their own.

use super::Said;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// Runs a client with this on its standard input, which is then closed.
pub fn piped(mut command: Command, input: &[u8]) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().expect("the client starts");
    client.stdin.take().expect("piped").write_all(input).expect("the client reads");
    client.wait_with_output().expect("the client ends").into()
}

/// Runs a client on a terminal of its own (util-linux's `script`), and types `input` once it shows `prompt`.
pub fn on_a_terminal(command: &Command, prompt: &str, input: &[u8]) -> Said {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")))
        .collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--echo", "never", "--command", &words.join(" "), "/dev/null"]);
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = script.spawn().expect("script (package bsdutils)");
    let (mut keyboard, mut screen) =
        (client.stdin.take().expect("piped"), client.stdout.take().expect("piped"));
    let mut shown = Vec::new();
    // Typed earlier, it would meet a terminal that is not raw yet, which keeps some of the keys for itself.
    while !String::from_utf8_lossy(&shown).contains(prompt) {
        let mut piece = [0; 1024];
        let count = screen.read(&mut piece).expect("the screen");
        assert!(
            count > 0,
            "the client ended before it showed {prompt:?}: {}",
            String::from_utf8_lossy(&shown)
        );
        shown.extend_from_slice(&piece[..count]);
    }
    keyboard.write_all(input).expect("the client reads");
    screen.read_to_end(&mut shown).expect("the screen");
    let mut said = Said::from(client.wait_with_output().expect("the client ends"));
    said.stdout = String::from_utf8_lossy(&shown).into_owned();
    said
}

//! Landlock in a container: no engine asks for rules of it, and a program may give itself some.

use crate::harness::{Engine, run, skip};
use crate::{needs, test_name};
use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_program_in_a_container_restricts_itself() {
    needs!(root);
    needs!("docker");
    needs!("gcc");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/blackbox/landlock.c");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("landlock");
    run(Command::new("gcc").args(["-static", "-O1", "-o"]).arg(&program).arg(source)).expect(0);
    let here = Command::new(&program).output().expect("the program runs here");
    if String::from_utf8_lossy(&here.stdout).contains("EOPNOTSUPP") {
        return skip(test_name!(), "needs a kernel with Landlock turned on");
    }
    let engine = Engine::start();
    engine.import_busybox();
    let bind = format!("{}:/landlock:ro", program.display());
    let said = engine.docker(&["run", "--rm", "-v", &bind, "busybox", "/landlock"]).expect(0);
    assert_eq!(said.stdout, "written\nEACCES\n");
    // The rules go with the process: the next one writes.
    let both = "/landlock && echo x >/tmp/other && cat /tmp/other";
    let said = engine.docker(&["run", "--rm", "-v", &bind, "busybox", "sh", "-c", both]).expect(0);
    assert_eq!(said.stdout, "written\nEACCES\nx\n");
    engine.finish();
}

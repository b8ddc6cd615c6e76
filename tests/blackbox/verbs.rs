//! Each verb of the stock docker client, once with success and once with failure.

use crate::harness::Engine;
use crate::needs;

#[test]
fn run_prints_and_returns_the_commands_exit_code() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    let said =
        engine.docker(&["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]).expect(7);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("out\n", "err\n"));
    engine.finish();
}

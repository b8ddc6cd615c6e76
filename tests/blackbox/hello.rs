//! The README's first command: `coracle run hello`, without a registry, a network, or a daemon started by hand.

use crate::harness::{Engine, Who, is_root};
use crate::needs;

/// What every `hello` prints: the chapters that built the container, a fact each.
const CHAPTERS: &[&str] = &["01-chroot", "02-namespaces", "03-cgroups", "04-privileges", "07-layers"];

#[test]
fn hello_names_the_chapters_that_built_it() {
    needs!(root);
    says_hello(Who::Coracle);
}

#[test]
fn hello_runs_for_an_ordinary_user() {
    let said = says_hello(Who::CoracleRootless);
    assert!(said.contains("no delegated cgroup") || !is_root(), "{said}");
}

fn says_hello(who: Who) -> String {
    let engine = Engine::start_as(who);
    let said = engine.coracle(&["run", "--rm", "hello"]).expect(0);
    for chapter in CHAPTERS {
        assert!(said.stdout.contains(chapter), "hello does not name {chapter}:\n{}", said.stdout);
    }
    if let Some(namespace) = engine.namespace() {
        assert_eq!(namespace.links(), Vec::<String>::new(), "hello made a link without being told to");
    }
    engine.finish();
    said.stdout
}

#[test]
fn hello_is_as_old_as_its_executable_and_is_pulled_from_nowhere() {
    needs!(root);
    let engine = Engine::start();
    let said = engine.coracle(&["pull", "hello"]).expect(0).stdout;
    assert!(said.contains("hello:latest is part of coracle: there is nothing to pull"), "{said}");
    let created = engine.coracle(&["image", "inspect", "--format", "{{.Created}}", "hello"]).expect(0).stdout;
    assert!(created.as_str() > "2025", "{created}");
    let said = engine.coracle(&["run", "--rm", "--platform", "linux/s390x", "hello"]).expect(125);
    let refusal = "image with reference hello:latest was found but does not provide the specified platform (linux/s390x)";
    assert!(said.stderr.contains(refusal), "{}", said.stderr);
    engine.finish();
}

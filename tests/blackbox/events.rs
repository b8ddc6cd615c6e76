//! `docker events`: the past between two times, and what is heard of it.

use crate::harness::Engine;
use crate::needs;

fn seconds() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    format!("{}.{:09}", now.as_secs(), now.subsec_nanos())
}

#[test]
fn the_past_is_told_between_two_times_and_by_filter() {
    needs!(root);
    needs!("docker");
    let engine = Engine::start();
    engine.import_busybox();
    engine.docker(&["run", "--rm", "--name", "before", "busybox", "true"]).expect(0);
    let since = seconds();
    engine.docker(&["run", "--name", "told", "--network", "none", "busybox", "sh", "-c", "exit 4"]).expect(4);
    engine.docker(&["rm", "told"]).expect(0);
    let until = seconds();
    engine.docker(&["run", "--rm", "--name", "after", "busybox", "true"]).expect(0);
    let between = ["events", "--since", &since, "--until", &until];
    for client in [Engine::docker, Engine::coracle] {
        let events = |more: &[&str]| client(&engine, &[&between, more].concat()).expect(0).stdout;
        let format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}";
        let all = events(&["--format", format]);
        let expected = ["create", "attach", "start", "die", "destroy"]
            .map(|action| format!("container {action} told\n"));
        let of_containers: String = all
            .lines()
            .filter(|line| line.starts_with("container"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(of_containers, expected.concat());
        let die = [
            "--filter",
            "event=die",
            "--filter",
            "container=told",
            "--format",
            "{{.Actor.Attributes.exitCode}}",
        ];
        assert_eq!(events(&die), "4\n");
        assert_eq!(events(&["--filter", "container=nosuch"]), "");
        assert_eq!(events(&["--filter", "type=image"]), "");
        // As people read it: a time, what, and in brackets whose.
        let text = events(&["--filter", "event=start"]);
        assert!(text.contains(" container start ") && text.contains("name=told"), "{text}");
    }
    // Without an `until` what is past is told first, then what comes.
    let said = engine.docker(&["events", "--since", "tomorrow"]);
    assert!(said.code != 0 && said.stderr.contains("tomorrow"), "{said:?}");
    engine.finish();
}

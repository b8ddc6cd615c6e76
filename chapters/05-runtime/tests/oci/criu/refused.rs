//! Checkpoints and restores that are refused before anything is made: without a CRIU that works here, or with flags that make no sense.

use super::obstacle;
use crate::site::{Site, skip};
use std::os::unix::fs::PermissionsExt;

/// The refusals name what is missing, and nothing has been made.
#[test]
fn without_a_criu_that_works_both_are_refused() {
    let Some(site) = Site::new("criu-refused", "sleep 100") else { return };
    site.ok(&["run", "-d", "ID"]);
    let old = site.folder.join("old");
    std::fs::write(&old, "#!/bin/sh\necho Version: 3.9\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(site.folder.join("images")).unwrap();
    std::fs::write(site.folder.join("images/inventory.img"), "").unwrap();
    std::fs::write(site.folder.join("images/descriptors.json"), "[]").unwrap();
    let old = old.display().to_string();
    let mut programs = vec![
        (
            "/nosuch".to_string(),
            "/nosuch is not installed: install CRIU 3.16 or newer, or name it by --criu".to_string(),
        ),
        (old.clone(), format!("{old} is version 3.9: install 3.16 or newer, or name it by --criu")),
    ];
    match obstacle() {
        Some(why) if !why.starts_with("criu: ") => {
            let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
            programs.push((
                "criu".into(),
                format!("does not work with this kernel, Linux {kernel} (criu check: "),
            ));
        }
        _ => skip("oci::criu::too_old_for_the_kernel", "criu is not installed, or works with this kernel"),
    }
    for (program, why) in programs {
        let refused = site.refused(&["--criu", &program, "checkpoint", "--image-path", "made", "ID"]);
        assert!(
            refused.starts_with("coracle-oci: error: checkpoint: ") && refused.contains(&why),
            "{refused}"
        );
        let words = ["--criu", &program, "restore", "--image-path", "images", "other"];
        let refused = site.refused(&words);
        assert!(refused.starts_with("coracle-oci: error: restore: ") && refused.contains(&why), "{refused}");
    }
    assert!(!site.folder.join("made").exists() && !site.folder.join("state/other").exists());
    assert_eq!(site.status(), "running");
    site.ok(&["delete", "--force", "ID"]);
}

/// What makes no sense is refused by the flag's name.
#[test]
fn wrong_flags_of_a_checkpoint_are_named() {
    let Some(site) = Site::new("criu-flags", "sleep 100") else { return };
    site.ok(&["create", "ID"]);
    for (words, why) in [
        (&["--parent-path", "/before"][..], "--parent-path \"/before\": must be relative to --image-path"),
        (&["--status-fd", "0"], "--status-fd: something is written to it only with --lazy-pages"),
        (&["--lazy-pages", "--status-fd", "0"], "--status-fd 0: it is not open for writing"),
        (&["--lazy-pages", "--status-fd", "77"], "--status-fd 77: it is not open"),
        (&["--page-server", "nowhere"], "'--page-server <ADDRESS:PORT>': must be ADDRESS:PORT"),
        (&["--empty-ns", "uts"], "'--empty-ns <KIND>'"),
        (&[], "container cannot be checkpointed in created state"),
    ] {
        let refused = site.refused(&[&["checkpoint"], words, &["ID"]].concat());
        assert!(refused.contains(why), "{refused}");
    }
    let context = ["restore", "--lsm-mount-context", "x", "other"];
    assert!(site.refused(&context).contains("--lsm-mount-context"));
    assert!(site.refused(&["restore", "--no-pivot", "other"]).contains("--no-pivot is not supported"));
    site.ok(&["delete", "--force", "ID"]);
}

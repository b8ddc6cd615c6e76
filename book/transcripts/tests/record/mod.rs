//! A session becomes a snapshot, which the book includes by its name.

/// Records a session under the name by which the book includes it.
pub fn record(packages: &[&str], name: &str, commands: &[&str]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../sessions");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let said = transcripts::record(packages, &[commands]).remove(0);
    settings.bind(|| insta::assert_snapshot!(name, said));
}

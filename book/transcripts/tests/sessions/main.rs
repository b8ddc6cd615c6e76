//! Records the sessions of chapters 01 and 02 in the order of their pages, in one shell and one folder: as a reader types them.
//! (Those of 05 have a shell of their own. Those of 03 need a machine of their own; each of 04 begins with what it stands on.)
#![forbid(unsafe_code)]

mod chapter_01;
mod chapter_02;
#[path = "../in_order/mod.rs"]
mod in_order;

/// What is typed, under the name by which a page includes what came of it.
struct Session {
    name: &'static str,
    commands: &'static [&'static str],
}

#[test]
fn what_a_reader_sees_who_types_everything_in_order() {
    let sessions = chapter_01::SESSIONS.iter().chain(chapter_02::SESSIONS);
    let sessions: Vec<in_order::Session> = sessions
        .map(|session| in_order::Session { name: session.name, commands: session.commands.to_vec() })
        .collect();
    in_order::record(&["chroot", "namespaces"], &["01", "02"], &sessions);
}

//! Whole conversations, written down: what is sent, what comes back, what follows.

use super::*;

fn session(credentials: Option<(&str, &str)>) -> Session {
    let credentials = credentials.map(|(username, password)| Credentials {
        username: username.into(),
        password: password.into(),
        identity_token: String::new(),
    });
    let reference = Reference::parse("r.io/app:1").unwrap();
    Session { base: "https://r.io".into(), reference, credentials, authorization: None }
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.into(), ..Default::default() }
}

fn challenge(text: &str) -> Reply {
    Reply { status: 401, challenges: vec![text.into()], ..Default::default() }
}

fn moved(location: &str) -> Reply {
    Reply { status: 307, location: Some(location.into()), ..Default::default() }
}

fn blob() -> Want {
    Want::Blob(Descriptor::of(media::OCI_LAYER, b"abc"), 7)
}

/// Plays the replies and writes down both sides.
fn conversation(session: Session, want: Want, replies: &[Reply]) -> String {
    let (mut state, mut action) = begin(session, want);
    let mut lines = Vec::new();
    for reply in replies {
        lines.push(show(&action));
        lines.push(format!("<- {} {}", reply.status, String::from_utf8_lossy(&reply.body)));
        (state, action) = step(state, reply);
    }
    lines.push(show(&action));
    lines.join("\n")
}

fn show(action: &Action) -> String {
    match action {
        Action::Send(r) => {
            let method = r.form.as_ref().map_or("GET".into(), |form| format!("POST [{form}]"));
            let range = if r.from > 0 { format!(" from {}", r.from) } else { String::new() };
            format!("-> {method} {}{range} as {}", r.url, r.authorization.as_deref().unwrap_or("nobody"))
        }
        Action::Answer => "answer".into(),
        Action::Fail(error) => format!("{:?}: {error}", error.kind()),
    }
}

const BEARER: &str = r#"Bearer realm="https://auth.io/token?x=1",service="r.io",scope="repository:app:pull""#;

#[test]
fn a_token_is_fetched_and_used() {
    let manifest = || Want::Manifest("1".into());
    let replies = [challenge(BEARER), reply(200, r#"{"access_token":"T"}"#), reply(200, "{}")];
    insta::assert_snapshot!(
        [
            conversation(session(None), manifest(), &replies),
            conversation(session(Some(("me", "secret"))), manifest(), &replies),
            conversation(session(None), Want::Version, &replies[..2]),
        ]
        .join("\n\n")
    );
}

#[test]
fn a_refresh_token_is_posted() {
    let mut session = session(None);
    session.credentials = Some(Credentials { identity_token: "R/1".into(), ..Default::default() });
    let replies = [challenge(BEARER), reply(200, r#"{"access_token":"T"}"#)];
    insta::assert_snapshot!(conversation(session, Want::Manifest("1".into()), &replies));
}

#[test]
fn credentials_stay_with_their_host() {
    let me = || session(Some(("me", "secret")));
    let basic = challenge("Basic realm=x");
    insta::assert_snapshot!(
        [
            // To a CDN and back: from the first foreign host on, nobody learns them.
            conversation(
                me(),
                blob(),
                &[basic.clone(), moved("https://cdn.io/b"), moved("https://r.io/c"), reply(206, "")]
            ),
            // Within the host they go along.
            conversation(me(), blob(), &[basic.clone(), moved("/elsewhere"), reply(206, "")]),
            // A foreign host that asks for them gets none.
            conversation(me(), blob(), &[moved("https://evil.io/b"), basic.clone()]),
            conversation(me(), blob(), &[moved("https://evil.io/b"), challenge(BEARER)]),
            // Down to plain HTTP, or to a file: not followed.
            conversation(me(), blob(), &[moved("http://r.io/b")]),
            conversation(me(), blob(), &[moved("file:///etc/shadow")]),
            // A registry on HTTPS cannot send them to a realm on HTTP.
            conversation(me(), blob(), &[challenge(r#"Bearer realm="http://r.io/token""#)]),
        ]
        .join("\n\n")
    );
}

#[test]
fn refusals_read_as_dockers() {
    let ask = |replies: &[Reply]| conversation(session(None), Want::Manifest("1".into()), replies);
    let error =
        |code: &str, message: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
    let denied = error("DENIED", "requested access to the resource is denied");
    let loops: Vec<Reply> = (0..11).map(|n| moved(&format!("/{n}"))).collect();
    insta::assert_snapshot!(
        [
            ask(&[reply(404, &error("MANIFEST_UNKNOWN", "manifest unknown"))]),
            ask(&[reply(404, &error("NAME_UNKNOWN", "repository name not known to registry"))]),
            ask(&[reply(404, "<html>")]),
            ask(&[reply(403, &denied)]),
            ask(&[challenge("Basic realm=x")]),
            ask(&[challenge(BEARER), reply(401, &error("UNAUTHORIZED", "incorrect username or password"))]),
            ask(&[challenge(BEARER), reply(200, "{}")]),
            ask(&[challenge(BEARER), reply(200, r#"{"token":"T"}"#), challenge(BEARER)]),
            ask(&[reply(500, "")]),
            ask(&[reply(429, &error("TOOMANYREQUESTS", "slow down"))]),
            ask(&loops).lines().last().unwrap().to_string(),
        ]
        .join("\n\n")
    );
}

#[test]
fn a_password_is_not_printed() {
    assert_eq!(format!("{:?}", session(Some(("me", "secret"))).credentials), "Some(Credentials(me))");
}

//! Images over HTTP.

use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::{HeaderMap, StatusCode};

use super::error::{Answered, Failure};
use super::request::{Answer, Call, Live, Response, empty, ok, streamed};
use super::streams::{begin, begin_with_first};
use super::{body, progress, shapes};
use crate::error::Error;
use crate::images::remove::Removed;
use crate::images::{Credentials, Progress};

/// `GET /images/json`
pub fn list(call: &Call) -> Answered<Response> {
    call.query.refuse(&["shared-size", "manifests"])?;
    // `all` adds steps of builds, which are no images here; `digests` are always told.
    let mut images = call.engine.image_list(&call.query.filters()?)?;
    shapes::images(call.version, &mut images);
    ok(&images)
}

/// `GET /images/{name}/json`
pub fn inspect(call: &Call) -> Answered<Response> {
    call.query.refuse(&["manifests", "platform"])?;
    let image = call.engine.image_inspect(&call.name)?;
    match shapes::image(call.version, image) {
        shapes::Image::Older(image) => ok(&image),
        shapes::Image::Newer(image) => ok(&image),
    }
}

/// `GET /images/{name}/history`
pub fn history(call: &Call) -> Answered<Response> {
    call.query.refuse(&["platform"])?;
    ok(&call.engine.image_history(&call.name)?)
}

/// `POST /images/{name}/tag`
pub fn tag(call: &Call) -> Answered<Response> {
    let repository = call.query.text("repo").unwrap_or_default();
    call.engine.image_tag(&call.name, repository, call.query.text("tag"))?;
    empty(StatusCode::CREATED)
}

/// `DELETE /images/{name}`. There are no parents without a name, so `noprune` changes nothing.
pub fn remove(call: &Call) -> Answered<Response> {
    call.query.refuse(&["platforms"])?;
    let removed = call.engine.image_remove(&call.name, call.query.flag("force"))?;
    let items = removed.into_iter().map(|removed| match removed {
        Removed::Untagged(name) => api::ImageDeleteItem { untagged: Some(name), deleted: None },
        Removed::Deleted(digest) => api::ImageDeleteItem { untagged: None, deleted: Some(digest) },
    });
    ok(&items.collect::<Vec<_>>())
}

/// `POST /images/create`: a pull, or an import of what the body is.
pub fn create(live: Live) -> Answer {
    if live.call.query.text("fromImage").is_some() {
        Box::pin(pull(live.call))
    } else {
        Box::pin(import(live))
    }
}

async fn pull(call: Call) -> Answered<Response> {
    let image = call.query.text("fromImage").unwrap_or_default();
    let image = match call.query.text("tag") {
        Some(digest) if digest.contains(':') => format!("{image}@{digest}"),
        Some(tag) => format!("{image}:{tag}"),
        None if names_version(image) => image.to_owned(),
        None => return Err(Error::not_supported("pulling every tag of a repository").into()),
    };
    let credentials = credentials(&call.headers)?;
    let body = begin_with_first("pull", move |feed| {
        let platform = call.query.text("platform");
        let said = AtomicBool::new(false);
        let sink = |news: Progress| {
            said.store(true, Ordering::Relaxed);
            progress::send(feed, &progress::message(&news))
        };
        let result = call.engine.pull(&image, platform, credentials.as_ref(), &sink);
        if result.is_ok()
            && let Some(warning) = call.engine.platform_warning(&image, platform)
        {
            progress::send(feed, &api::ProgressMessage { status: Some(warning), ..Default::default() });
        }
        progress::end(feed, said.load(Ordering::Relaxed), result)
    });
    Ok(streamed("application/json", body.await?))
}

async fn import(live: Live) -> Answered<Response> {
    let (call, mut archive) = (live.call, body::reader(live.incoming));
    match call.query.text("fromSrc") {
        Some("-") => {}
        Some(_) => return Err(Error::not_supported("importing from a URL").into()),
        None => {
            return Err(Failure::invalid("neither fromImage nor fromSrc says what to make an image of"));
        }
    }
    let body = begin_with_first("import", move |feed| {
        let query = &call.query;
        let changes: Vec<String> = query.values("changes").map(str::to_owned).collect();
        let (message, platform) = (query.text("message").unwrap_or_default(), query.text("platform"));
        let name = (query.text("repo"), query.text("tag"));
        // Docker tells nothing of it but its end.
        let sink = |_: Progress| !feed.is_closed();
        let engine = &call.engine;
        let id = engine.import(&mut archive, name, &changes, message, platform, &sink)?;
        let last = api::ProgressMessage { status: Some(id), ..Default::default() };
        progress::send(feed, &last);
        Ok(())
    });
    Ok(streamed("application/json", body.await?))
}

/// `POST /images/load`: Docker answers 200 whatever happens, and tells failures as progress.
pub fn load(live: Live) -> Answer {
    Box::pin(async move {
        live.call.query.refuse(&["platform"])?;
        let (call, mut archive) = (live.call, body::reader(live.incoming));
        let body = begin("load", move |feed| {
            let quiet = call.query.flag("quiet");
            let sink = |news: Progress| {
                let wanted = !quiet || matches!(news, Progress::Loaded(_));
                if wanted { progress::send(feed, &progress::message(&news)) } else { !feed.is_closed() }
            };
            let result = call.engine.load(&mut archive, &sink);
            progress::end(feed, true, result)
        })?;
        Ok(streamed("application/json", body))
    })
}

/// `GET /images/{name}/get` and `GET /images/get?names=…`
pub fn save(live: Live) -> Answer {
    Box::pin(async move {
        let call = live.call;
        call.query.refuse(&["platform"])?;
        let names: Vec<String> = match call.name.as_str() {
            "" => call.query.values("names").map(str::to_owned).collect(),
            name => vec![name.to_owned()],
        };
        let body = begin_with_first("save", move |feed| {
            // Large enough that a piece is worth its way through the runtime.
            let mut archive = BufWriter::with_capacity(64 * 1024, feed);
            call.engine.save(&names, &mut archive)?;
            Ok(archive.flush()?)
        });
        Ok(streamed("application/x-tar", body.await?))
    })
}

/// Whether a reference has a tag or a digest; a port of its registry is none.
fn names_version(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    name.contains([':', '@'])
}

/// Who the client is to the registry. As with Docker, a header that cannot be read is as good as none.
fn credentials(headers: &HeaderMap) -> Answered<Option<Credentials>> {
    let config = headers
        .get("X-Registry-Auth")
        .and_then(|value| decode(&URL_SAFE, value.to_str().ok()?))
        .and_then(|json| api::from_request::<api::AuthConfig>(&json).ok())
        .unwrap_or_default();
    if !config.registrytoken.is_empty() {
        return Err(Error::not_supported("a registry token").into());
    }
    let (username, password) =
        match decode(&STANDARD, &config.auth).and_then(|text| String::from_utf8(text).ok()) {
            Some(text) if config.username.is_empty() => {
                let (name, password) = text.split_once(':').unwrap_or((&text, ""));
                (name.to_owned(), password.to_owned())
            }
            _ => (config.username, config.password),
        };
    let known = !username.is_empty() || !config.identitytoken.is_empty();
    Ok(known.then_some(Credentials { username, password, identity_token: config.identitytoken }))
}

const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, EITHER);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, EITHER);

fn decode(alphabet: &GeneralPurpose, text: &str) -> Option<Vec<u8>> {
    alphabet.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Option<(String, String, String)> {
        let mut headers = HeaderMap::new();
        let value = URL_SAFE.encode(json).parse().expect("a value");
        headers.insert("X-Registry-Auth", value);
        let credentials = credentials(&headers).expect("nothing unknown");
        credentials.map(|own| (own.username, own.password, own.identity_token))
    }

    #[test]
    fn credentials_come_in_three_ways() {
        let own = |name: &str, password: &str, token: &str| {
            Some((name.to_owned(), password.to_owned(), token.to_owned()))
        };
        assert_eq!(told(r#"{"username":"u","password":"p"}"#), own("u", "p", ""));
        assert_eq!(told(r#"{"auth":"dTpwOnE="}"#), own("u", "p:q", ""));
        assert_eq!(told(r#"{"identitytoken":"t"}"#), own("", "", "t"));
        assert_eq!(told("{}"), None);
        assert_eq!(told("nonsense"), None);
    }

    #[test]
    fn a_port_is_no_tag() {
        assert!(!names_version("localhost:5000/a"));
        assert!(names_version("localhost:5000/a:b"));
        assert!(names_version("a@sha256:0"));
        assert!(!names_version("a"));
    }
}

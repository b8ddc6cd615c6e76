//! The OCI distribution protocol as a state machine without input or output: what to send next, given what came back.
//!
//! ```text
//! begin ─▶ Send GET /v2/…          ◀── 200            ─▶ Answer
//!                                  ◀── 401, challenge ─▶ Send GET realm?scope=… ◀── 200 token ─▶ Send GET /v2/… again
//!                                  ◀── 307, Location  ─▶ Send GET there; credentials stay behind if it is another host
//!                                  ◀── 404, 403, …    ─▶ Fail, in dockerd's words
//! ```

use base64::Engine as _;
use images::{Descriptor, Reference, media};
use serde::Deserialize;

use crate::challenge::Challenge;
use crate::{Error, ErrorKind, url};

/// Redirects of one request beyond this many are refused.
const REDIRECTS: u8 = 10;

/// Who we are towards a registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// An OAuth2 refresh token instead of both.
    pub identity_token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A password must not get into a log.
        write!(f, "Credentials({})", self.username)
    }
}

/// A repository of a registry, and how we have authenticated there so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `https://registry-1.docker.io`.
    pub base: String,
    /// What is pulled, for paths and for error texts.
    pub reference: Reference,
    /// Who we are.
    pub credentials: Option<Credentials>,
    /// The Authorization header that worked last.
    pub authorization: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// Whether it is a registry at all, and which authentication it wants.
    Version,
    /// A manifest or an index, by tag or digest.
    Manifest(String),
    /// A blob, from this byte on.
    Blob(Descriptor, u64),
}

/// A request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// The Accept header.
    pub accept: String,
    /// The Authorization header.
    pub authorization: Option<String>,
    /// From this byte on (the Range header).
    pub from: u64,
    /// A form to be POSTed; without one it is a GET.
    pub form: Option<String>,
}

/// A reply to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Content-Type.
    pub content_type: Option<String>,
    /// Location.
    pub location: Option<String>,
    /// All of WWW-Authenticate.
    pub challenges: Vec<String>,
    /// The body; empty when it is [`State::streams`].
    pub body: Vec<u8>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send this, and step with the reply.
    Send(Request),
    /// The last reply has what was asked for; [`State::session`] is for the next question.
    Answer,
    /// There is no answer.
    Fail(Error),
}

/// Where a question stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The registry; its authorization is worth keeping.
    pub session: Session,
    want: Want,
    /// What was sent last.
    sent: Request,
    /// It was a question for a token.
    for_token: bool,
    /// An authorization was made for this question already.
    authenticated: bool,
    redirects: u8,
}

impl State {
    /// Whether a reply of this status is followed by a blob, which is streamed and not stepped with.
    pub fn streams(&self, status: u16) -> bool {
        matches!(self.want, Want::Blob(..)) && !self.for_token && (status == 200 || status == 206)
    }
}

/// Begins with a question.
pub fn begin(session: Session, want: Want) -> (State, Action) {
    let request = question(&session, &want);
    let state =
        State { session, want, sent: request.clone(), for_token: false, authenticated: false, redirects: 0 };
    (state, Action::Send(request))
}

/// Goes on with the reply to what was sent last.
pub fn step(mut state: State, reply: &Reply) -> (State, Action) {
    let action = match reply.status {
        301 | 302 | 303 | 307 | 308 => redirect(&mut state, reply),
        _ if state.for_token => token(&mut state, reply),
        200 | 206 => Action::Answer,
        401 => authenticate(&mut state, reply),
        _ => Action::Fail(refused(&state, reply)),
    };
    (state, action)
}

fn question(session: &Session, want: &Want) -> Request {
    let (base, path) = (&session.base, &session.reference.path);
    let manifests =
        [media::DOCKER_MANIFEST, media::DOCKER_INDEX, media::OCI_INDEX, media::OCI_MANIFEST].join(", ");
    let (url, accept, from) = match want {
        Want::Version => (format!("{base}/v2/"), "*/*".into(), 0),
        Want::Manifest(version) => (format!("{base}/v2/{path}/manifests/{version}"), manifests, 0),
        Want::Blob(blob, from) => (format!("{base}/v2/{path}/blobs/{}", blob.digest), "*/*".into(), *from),
    };
    Request { url, accept, authorization: session.authorization.clone(), from, form: None }
}

/// Credentials go only to the host that they are for (CVE-2020-15157): from the first foreign host on, none are sent.
fn redirect(state: &mut State, reply: &Reply) -> Action {
    state.redirects += 1;
    let location = reply.location.as_deref().and_then(|location| url::follow(&state.sent.url, location));
    let url = match location {
        Some(url) if state.redirects <= REDIRECTS && state.sent.form.is_none() => url,
        Some(_) => return Action::Fail(unexpected(state, "stopped after 10 redirects")),
        None => return Action::Fail(unexpected(state, "redirected to nowhere that can be followed")),
    };
    if !url::same_origin(&url, &state.sent.url) {
        state.sent.authorization = None;
    }
    state.sent.url = url;
    Action::Send(state.sent.clone())
}

fn authenticate(state: &mut State, reply: &Reply) -> Action {
    let challenge = Challenge::choose(&reply.challenges);
    let elsewhere = !url::same_origin(&state.sent.url, &state.session.base);
    let challenge = match challenge {
        // Once is enough; and where a redirect led to, nobody has a claim to our credentials.
        Some(challenge) if !state.authenticated && !elsewhere => challenge,
        _ => return Action::Fail(refused(state, reply)),
    };
    state.authenticated = true;
    match challenge {
        Challenge::Basic => {
            let Some(authorization) = state.session.credentials.as_ref().and_then(basic) else {
                return match state.want {
                    // Docker asks on, and says then what it was refused.
                    Want::Version => Action::Answer,
                    _ => {
                        Action::Fail(denied(format!("Head {:?}: no basic auth credentials", state.sent.url)))
                    }
                };
            };
            again(state, authorization)
        }
        Challenge::Bearer { realm, service, scope } => ask_for_token(state, &realm, &service, scope),
    }
}

/// The question again, with an authorization.
fn again(state: &mut State, authorization: String) -> Action {
    state.session.authorization = Some(authorization);
    state.for_token = false;
    state.redirects = 0;
    state.sent = question(&state.session, &state.want);
    Action::Send(state.sent.clone())
}

fn ask_for_token(state: &mut State, realm: &str, service: &str, scope: Option<String>) -> Action {
    let Some(realm) = url::follow(&state.session.base, realm) else {
        return Action::Fail(unexpected(state, &format!("its token realm {realm:?} cannot be used")));
    };
    let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", state.session.reference.path));
    let mut query = format!("scope={}&service={}", url::escape(&scope), url::escape(service));
    let credentials = state.session.credentials.clone().unwrap_or_default();
    let accept = "application/json".to_string();
    state.for_token = true;
    state.redirects = 0;
    state.sent = if credentials.identity_token.is_empty() {
        if !credentials.username.is_empty() {
            query = format!("account={}&{query}", url::escape(&credentials.username));
        }
        let joint = if realm.contains('?') { '&' } else { '?' };
        let url = format!("{realm}{joint}{query}");
        Request { url, accept, authorization: basic(&credentials), from: 0, form: None }
    } else {
        let refresh = url::escape(&credentials.identity_token);
        let form = format!("grant_type=refresh_token&client_id=coracle&refresh_token={refresh}&{query}");
        Request { url: realm, accept, authorization: None, from: 0, form: Some(form) }
    };
    Action::Send(state.sent.clone())
}

fn token(state: &mut State, reply: &Reply) -> Action {
    #[derive(Deserialize)]
    struct Token {
        #[serde(default)]
        token: String,
        #[serde(default)]
        access_token: String,
    }
    if reply.status != 200 {
        let reason = registry_error(reply).map_or_else(|| status_text(reply.status), |e| e.text());
        let message = format!("Get {:?}: {reason}", state.sent.url);
        let kind =
            if [401, 403].contains(&reply.status) { ErrorKind::Denied } else { ErrorKind::Unavailable };
        return Action::Fail(Error::new(kind, message));
    }
    let parsed = serde_json::from_slice(&reply.body).ok();
    let token = parsed.map(|t: Token| if t.token.is_empty() { t.access_token } else { t.token });
    match token.filter(|token| !token.is_empty()) {
        Some(token) if matches!(state.want, Want::Version) => {
            // The version itself does not matter, and tokens are for repositories.
            state.session.authorization = Some(format!("Bearer {token}"));
            Action::Answer
        }
        Some(token) => again(state, format!("Bearer {token}")),
        None => {
            Action::Fail(unexpected(state, "authorization server did not include a token in the response"))
        }
    }
}

fn basic(credentials: &Credentials) -> Option<String> {
    if credentials.username.is_empty() {
        return None;
    }
    let pair = format!("{}:{}", credentials.username, credentials.password);
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

/// An entry of a registry's error document (distribution spec, "Error Codes").
#[derive(Deserialize)]
struct RegistryError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl RegistryError {
    /// As Docker prints it: `manifest unknown: manifest unknown`.
    fn text(&self) -> String {
        let code = self.code.to_ascii_lowercase().replace('_', " ");
        if self.message.is_empty() { code } else { format!("{code}: {}", self.message) }
    }
}

fn registry_error(reply: &Reply) -> Option<RegistryError> {
    #[derive(Deserialize)]
    struct Document {
        errors: Vec<RegistryError>,
    }
    let document: Document = serde_json::from_slice(&reply.body).ok()?;
    document.errors.into_iter().next()
}

/// Why there is no answer, in dockerd's words.
fn refused(state: &State, reply: &Reply) -> Error {
    let reference = &state.session.reference;
    let error = registry_error(reply).unwrap_or_else(|| RegistryError {
        code: match (reply.status, &state.want) {
            (401, _) => "UNAUTHORIZED".into(),
            (403, _) => "DENIED".into(),
            (404, Want::Manifest(_)) => "MANIFEST_UNKNOWN".into(),
            (404, Want::Blob(..)) => "BLOB_UNKNOWN".into(),
            _ => String::new(),
        },
        message: match reply.status {
            401 => "authentication required".into(),
            403 => "requested access to the resource is denied".into(),
            404 => "unknown".into(),
            _ => String::new(),
        },
    });
    let (text, name) = (error.text(), reference.familiar_name());
    match error.code.as_str() {
        "DENIED" => denied(format!(
            "pull access denied for {name}, repository does not exist or may require 'docker login': {text}"
        )),
        "UNAUTHORIZED" => denied(text),
        "MANIFEST_UNKNOWN" => Error::new(
            ErrorKind::NotFound,
            format!("manifest for {} not found: {text}", reference.familiar()),
        ),
        "NAME_UNKNOWN" => Error::new(ErrorKind::NotFound, format!("repository {name} not found: {text}")),
        "BLOB_UNKNOWN" => Error::new(ErrorKind::NotFound, text),
        "" => unexpected(state, &format!("received unexpected HTTP status: {}", status_text(reply.status))),
        _ => Error::new(ErrorKind::Unavailable, text),
    }
}

fn denied(message: String) -> Error {
    Error::new(ErrorKind::Denied, message)
}

fn unexpected(state: &State, reason: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("Get {:?}: {reason}", state.sent.url))
}

fn status_text(status: u16) -> String {
    let reason = match status {
        400 => " Bad Request",
        401 => " Unauthorized",
        403 => " Forbidden",
        404 => " Not Found",
        429 => " Too Many Requests",
        500 => " Internal Server Error",
        502 => " Bad Gateway",
        503 => " Service Unavailable",
        504 => " Gateway Timeout",
        _ => "",
    };
    format!("{status}{reason}")
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;

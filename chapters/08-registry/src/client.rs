//! Carries the protocol's requests over HTTP.

use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

use crate::protocol::{Action, Reply, Request, Session, Want, begin, step};
use crate::{Error, ErrorKind, Result, resolver};

/// Documents longer than this are refused: the limit of configs, the largest of them.
const DOCUMENT_LIMIT: u64 = images::CONFIG_LIMIT;

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its certificate must be good.
    Certificate,
    /// It is this machine, or an insecure registry: any certificate will do.
    Anyone,
}

/// An answer: its head, and its body either read or still to be.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) stream: Option<Box<dyn Read + Send>>,
}

/// Connections to one registry and where it redirects to. [`Agent::shutdown`] on a clone ends whatever is under way.
pub(crate) fn agent(host: &str, trust: Trust) -> Agent {
    let roots = match trust {
        Trust::Certificate => roots(host),
        Trust::Anyone => RootCerts::WebPki,
    };
    let tls = TlsConfig::builder().root_certs(roots).disable_verification(trust == Trust::Anyone).build();
    let mut config = Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("coracle/", env!("CARGO_PKG_VERSION")))
        // Redirects and refusals are the protocol's business.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(60)));
    if trust == Trust::Anyone {
        // A proxy elsewhere could not reach this machine.
        config = config.proxy(None);
    }
    Agent::with_parts(config.build(), DefaultConnector::default(), OwnResolver)
}

/// Certificates that are trusted: the system's, those that Docker is told of for this registry, or else Mozilla's.
fn roots(host: &str) -> RootCerts {
    let system = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    let own = fs::read_dir(format!("/etc/docker/certs.d/{host}"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let own = own.filter(|path| path.extension().is_some_and(|extension| extension == "crt"));
    let system = std::env::var_os("SSL_CERT_FILE").into_iter().map(Into::into).chain(system.map(Into::into));
    let system = system.filter(|path: &std::path::PathBuf| path.is_file()).take(1);
    let read = |path: std::path::PathBuf| -> Vec<Certificate<'static>> {
        let text = fs::read(path).unwrap_or_default();
        let items = ureq::tls::parse_pem(&text).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        items.collect()
    };
    let found: Vec<Certificate<'static>> = system.chain(own).flat_map(read).collect();
    if found.is_empty() { RootCerts::WebPki } else { RootCerts::from(found) }
}

/// Asks one question, through tokens and redirects, and keeps the authorization that it took.
pub(crate) fn ask(agent: &Agent, session: &mut Session, want: Want) -> Result<Answer> {
    let (mut state, mut action) = begin(session.clone(), want);
    let mut answer = None;
    loop {
        match action {
            Action::Send(request) => {
                let response = send(agent, &request)?;
                let streams = state.streams(response.status().as_u16());
                let (reply, stream) = read(response, streams).map_err(|e| failed(&request, &e))?;
                (state, action) = step(state, &reply);
                answer = Some(Answer { reply, stream });
            }
            Action::Fail(error) => return Err(error),
            Action::Answer => {
                session.authorization = state.session.authorization;
                return answer.ok_or_else(|| Error::new(ErrorKind::Unavailable, "an answer to no question"));
            }
        }
    }
}

fn send(agent: &Agent, request: &Request) -> Result<Response<Body>> {
    let fail = |e: ureq::Error| failed(request, &e);
    if let Some(form) = &request.form {
        let post = agent.post(&request.url).header("Accept", &request.accept);
        return post.content_type("application/x-www-form-urlencoded").send(form).map_err(fail);
    }
    // The bytes are hashed as they are: no transport may repack them.
    let mut get =
        agent.get(&request.url).header("Accept", &request.accept).header("Accept-Encoding", "identity");
    if let Some(authorization) = &request.authorization {
        get = get.header("Authorization", authorization);
    }
    if request.from > 0 {
        get = get.header("Range", format!("bytes={}-", request.from));
    }
    get.call().map_err(fail)
}

type Stream = Option<Box<dyn Read + Send>>;

fn read(response: Response<Body>, streams: bool) -> std::result::Result<(Reply, Stream), ureq::Error> {
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(String::from);
    let challenges = response.headers().get_all("www-authenticate").iter();
    let mut reply = Reply {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        location: header("location"),
        challenges: challenges.filter_map(|value| value.to_str().ok()).map(String::from).collect(),
        body: Vec::new(),
    };
    let mut body = response.into_body();
    if streams {
        // A blob's length is known and checked by whoever reads it.
        return Ok((reply, Some(Box::new(body.into_with_config().limit(u64::MAX).reader()))));
    }
    reply.body = body.with_config().limit(DOCUMENT_LIMIT).read_to_vec()?;
    Ok((reply, None))
}

/// What went wrong below HTTP, in the words of Go's net/http.
fn failed(request: &Request, error: &ureq::Error) -> Error {
    let address = crate::url::origin(&request.url).split_once("://").map_or("", |(_, host)| host);
    let reason = match error {
        ureq::Error::Io(e) => match e.to_string() {
            text if text.starts_with("lookup ") => format!("dial tcp: {text}"),
            _ if e.kind() == io::ErrorKind::UnexpectedEof => "EOF".into(),
            _ => format!("dial tcp {address}: connect: {}", plain(e)),
        },
        ureq::Error::Timeout(ureq::Timeout::Connect) => format!("dial tcp {address}: i/o timeout"),
        ureq::Error::Timeout(_) => "net/http: timeout awaiting response headers".into(),
        ureq::Error::BodyExceedsLimit(_) => "the answer is larger than 8 MiB".into(),
        ureq::Error::Rustls(e) => certificate(&e.to_string()),
        other => other.to_string(),
    };
    let method = if request.form.is_some() { "Post" } else { "Get" };
    Error::new(ErrorKind::Unavailable, format!("{method} {:?}: {reason}", request.url))
}

fn certificate(text: &str) -> String {
    let known = [
        ("UnknownIssuer", "x509: certificate signed by unknown authority"),
        ("Expired", "x509: certificate has expired or is not yet valid"),
        ("NotValidYet", "x509: certificate has expired or is not yet valid"),
        ("NotValidForName", "x509: certificate is not valid for this name"),
        ("InvalidContentType", "http: server gave HTTP response to HTTPS client"),
        ("corrupt message", "http: server gave HTTP response to HTTPS client"),
    ];
    let found = known.iter().find(|(mark, _)| text.contains(mark));
    found.map_or_else(|| format!("tls: {text}"), |(_, words)| (*words).into())
}

/// An error's text without Rust's addition, `(os error 111)`, and in lower case as Go has it.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.chars().take(1).flat_map(char::to_lowercase).chain(text.chars().skip(1)).collect()
}

#[derive(Debug)]
struct OwnResolver;

impl Resolver for OwnResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        let mut addresses = self.empty();
        // ureq has room for sixteen.
        for address in resolver::lookup(host)?.into_iter().take(16) {
            addresses.push(SocketAddr::new(address, port));
        }
        Ok(addresses)
    }
}

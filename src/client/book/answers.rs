//! What is answered to a request: a file of the site; or, to who knows the token, what the reader's containers are like.
//!
//! A page of somebody else's in the same browser can send requests here as well. It cannot read the answers, as long as no name of
//! its own leads to this address (DNS rebinding): so only the two names of loopback are answered. And it does not know the token.

use super::super::failure::{Error, Result};
use super::{INDEX, not_built};
use chroot::open_inside;
use rustix::fs::OFlags;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Where the containers are asked for.
const LIVE: &str = "/live/containers";

/// What a browser may do with every answer: nothing that leads elsewhere. The diagrams are WebAssembly.
const HEADERS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' \
    'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\nConnection: close\r\n";

/// The built book, and who may ask for more.
pub struct Site {
    folder: File,
    hosts: [String; 2],
    token: Option<String>,
}

struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Site {
    /// Opens a built book; without a token nobody sees a container.
    pub fn open(folder: &Path, port: u16, token: Option<String>) -> Result<Site> {
        if !folder.join(INDEX).is_file() {
            return Err(not_built(Some(folder)));
        }
        let opened = File::open(folder);
        let folder = opened.map_err(|error| Error::file("open", &folder.display().to_string(), &error))?;
        let hosts = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
        Ok(Site { folder, hosts, token })
    }

    /// All bytes of the answer to a request.
    pub fn answer(&self, head: &[u8], live: impl FnOnce() -> Result<Vec<u8>>) -> Vec<u8> {
        let Answer { status, kind, body } = self.decide(head, live);
        let length = body.len();
        let mut bytes =
            format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{HEADERS}\r\n")
                .into_bytes();
        bytes.extend(body);
        bytes
    }

    fn decide(&self, head: &[u8], live: impl FnOnce() -> Result<Vec<u8>>) -> Answer {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(head).is_err() {
            return plain("400 Bad Request", "this is no request of HTTP/1.1");
        }
        let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
        let is_ours = |value: &[u8]| self.hosts.iter().any(|host| host.as_bytes() == value);
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if is_ours(host.value) => {}
            _ => return plain("421 Misdirected Request", "only 127.0.0.1 and localhost are answered here"),
        }
        if request.method != Some("GET") {
            return plain("405 Method Not Allowed", "here is only something to GET");
        }
        let target = request.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path {
            LIVE if !self.knows_token(query) => plain("403 Forbidden", "this takes the token of the link"),
            LIVE => match live() {
                Ok(body) => Answer { status: "200 OK", kind: "application/json", body },
                Err(error) => plain("502 Bad Gateway", &error.to_string()),
            },
            path => self.file(path),
        }
    }

    fn knows_token(&self, query: &str) -> bool {
        let said = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        matches!((&self.token, said), (Some(token), Some(said)) if is_same(token, said))
    }

    /// A file of the site; the site is the fence, for `..` and for links.
    fn file(&self, path: &str) -> Answer {
        let path = path.trim_start_matches('/');
        let path = Path::new(if path.is_empty() { INDEX } else { path });
        // Whatever lies there, the opening of it does not wait.
        let opened = open_inside(&self.folder, path, OFlags::RDONLY | OFlags::NONBLOCK).map(File::from);
        let file = opened.ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()));
        let mut body = Vec::new();
        match file.map(|mut file| file.read_to_end(&mut body)) {
            Some(Ok(_)) => Answer { status: "200 OK", kind: kind(path), body },
            _ => plain("404 Not Found", "there is no such page"),
        }
    }
}

/// Compares all letters whatever the first ones are, so that time tells nothing of the token.
fn is_same(token: &str, said: &str) -> bool {
    let pairs = token.bytes().zip(said.bytes());
    let differences = pairs.fold(0, |differences, (one, other)| differences | (one ^ other));
    token.len() == said.len() && std::hint::black_box(differences) == 0
}

fn plain(status: &'static str, text: &str) -> Answer {
    Answer { status, kind: "text/plain; charset=utf-8", body: format!("{text}\n").into_bytes() }
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status of the answer, and its body.
    fn asked(site: &Site, request: &str) -> (String, String) {
        let live = || Ok(b"[containers]".to_vec());
        let answer = String::from_utf8(site.answer(request.as_bytes(), live)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = format!("Content-Length: {}\r\n", body.len());
        assert!(head.contains(&length) && head.contains("\r\nContent-Security-Policy: default-src 'none'"));
        (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
    }

    fn get(site: &Site, target: &str) -> (String, String) {
        asked(site, &format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"))
    }

    fn site(folder: &Path, token: Option<&str>) -> Site {
        std::fs::create_dir(folder.join("site")).unwrap();
        std::fs::write(folder.join("site").join(INDEX), "<p>book").unwrap();
        std::fs::write(folder.join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("site/link.html")).unwrap();
        std::os::unix::fs::symlink(folder.join("secret"), folder.join("site/absolute.html")).unwrap();
        nix::unistd::mkfifo(&folder.join("site/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        Site::open(&folder.join("site"), 80, token.map(str::to_owned)).unwrap()
    }

    #[test]
    fn the_site_is_a_fence() {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path(), None);
        for there in ["/", "/index.html", "/?a=b", "//index.html", "/../index.html"] {
            assert_eq!(get(&site, there), ("200".into(), "<p>book".into()), "{there}");
        }
        let nowhere = ["/../secret", "/%2e%2e/secret", "/link.html", "/absolute.html", "/pipe", "/.", "/x"];
        for nowhere in nowhere {
            assert_eq!(get(&site, nowhere).0, "404", "{nowhere}");
        }
    }

    #[test]
    fn only_loopback_is_answered_and_only_get() {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path(), Some("t"));
        let status = |request: &str| asked(&site, request).0;
        assert_eq!(status("GET / HTTP/1.1\r\nHost: localhost:80\r\n\r\n"), "200");
        for host in ["evil.example:80", "127.0.0.1", "127.0.0.1:81", "127.0.0.1:80.evil.example", ""] {
            for target in ["/", "/live/containers?token=t"] {
                assert_eq!(
                    status(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")),
                    "421",
                    "{host}"
                );
            }
        }
        let twice = "GET / HTTP/1.1\r\nHost: localhost:80\r\nHost: evil.example\r\n\r\n";
        assert_eq!((status("GET / HTTP/1.1\r\n\r\n"), status(twice)), ("421".into(), "421".into()));
        assert_eq!(status("POST / HTTP/1.1\r\nHost: localhost:80\r\n\r\n"), "405");
        assert_eq!(status("nonsense\r\n\r\n"), "400");
    }

    #[test]
    fn containers_take_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let mut site = site(folder.path(), Some("0123"));
        assert_eq!(get(&site, "/live/containers?token=0123"), ("200".into(), "[containers]".into()));
        for wrong in ["", "?token=", "?token=012", "?token=01234", "?token=1123", "?other=0123"] {
            assert_eq!(get(&site, &format!("{LIVE}{wrong}")).0, "403", "{wrong}");
        }
        site.token = None;
        assert_eq!(get(&site, "/live/containers?token=0123").0, "403", "off unless asked for");
        assert_eq!(get(&site, "/live/containers?token=").0, "403");
    }
}

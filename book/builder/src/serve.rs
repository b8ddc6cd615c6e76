//! Shows the site on loopback, and builds it again when something that it is made of is newer.

use crate::highlight::escape;
use crate::{Defect, build};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What the site is made of, relative to the workspace.
const MADE_OF: &[&str] = &["book", "chapters"];

/// Serves until it is interrupted.
pub fn serve(workspace: &Path, port: u16) -> Result<(), Vec<Defect>> {
    let refused = |error: std::io::Error| vec![Defect::new("book", 1, format!("port {port}: {error}"))];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
    let mut server =
        Server { workspace: workspace.into(), site: PathBuf::new(), built: None, defects: Vec::new() };
    println!("http://{}/", listener.local_addr().map_err(refused)?);
    for stream in listener.incoming().flatten() {
        server.build_if_older();
        // A reader who went away needs no answer.
        let _ = server.answer(stream);
    }
    Ok(())
}

struct Server {
    workspace: PathBuf,
    site: PathBuf,
    built: Option<SystemTime>,
    defects: Vec<Defect>,
}

impl Server {
    fn build_if_older(&mut self) {
        let newest = MADE_OF.iter().filter_map(|name| newest(&self.workspace.join(name))).max();
        if self.built.is_some() && self.built >= newest {
            return;
        }
        self.built = newest;
        match build(&self.workspace) {
            Ok(built) => (self.site, self.defects) = (built.site, Vec::new()),
            Err(defects) => self.defects = defects,
        }
    }

    /// One request a connection: `GET /path`.
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut request = String::new();
        BufReader::new(&stream).read_line(&mut request)?;
        let target = request.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
        let (status, kind, body) = match target {
            _ if !self.defects.is_empty() => {
                ("500 Internal Server Error", "text/html; charset=utf-8", self.complaint())
            }
            Some(target) => file(&self.site, target),
            None => ("405 Method Not Allowed", "text/plain", b"only GET\n".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)
    }

    fn complaint(&self) -> Vec<u8> {
        let lines: Vec<String> = self.defects.iter().map(|defect| escape(&defect.to_string())).collect();
        format!("<!DOCTYPE html><title>Not in order</title><pre>{}</pre>", lines.join("\n")).into_bytes()
    }
}

/// A file of the site, and nothing beside it.
fn file(site: &Path, target: &str) -> (&'static str, &'static str, Vec<u8>) {
    let path = target.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    match std::fs::read(site.join(path)) {
        Ok(body) if is_plain => ("200 OK", kind(path), body),
        _ => ("404 Not Found", "text/plain", b"no such page\n".to_vec()),
    }
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

fn newest(path: &Path) -> Option<SystemTime> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).ok()?.flatten();
        return entries.filter_map(|entry| newest(&entry.path())).max();
    }
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn asked(server: &Server, request: &str) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        server.answer(listener.accept().unwrap().0).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_site_is_served_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("index.html"), "<p>book").unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        let server = Server { workspace: PathBuf::new(), site, built: None, defects: Vec::new() };
        let answer = asked(&server, "GET /?a HTTP/1.1\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html") && answer.ends_with("<p>book"),
            "{answer}"
        );
        assert!(asked(&server, "GET /../secret HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(asked(&server, "POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    }

    #[test]
    fn defects_are_shown_in_the_place_of_the_site() {
        let defects = vec![Defect::new("a.md", 3, "<mend>")];
        let server = Server { workspace: PathBuf::new(), site: PathBuf::new(), built: None, defects };
        let answer = asked(&server, "GET / HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("a.md:3: &lt;mend&gt;"), "{answer}");
    }
}

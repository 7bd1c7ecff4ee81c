//! A small server for the page's files: this machine only, GET and HEAD, everything limited.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long a visitor may be silent, or not take what we send.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of a request, headers included.
const LONGEST_REQUEST: u64 = 16 * 1024;
/// The most connections at a time.
const MOST_CONNECTIONS: usize = 64;
/// How many ports are tried.
const PORTS_TRIED: u16 = 100;

/// A bound server; connections wait until it serves.
pub struct Server {
    listener: TcpListener,
    port: u16,
    directory: PathBuf,
}

impl Server {
    /// Binds the port or the next free one after it; for port 0 any free one.
    pub fn bind(directory: &Path, port: u16) -> Result<Self> {
        let directory = directory
            .canonicalize()
            .with_context(|| format!("nothing to serve at {}", directory.display()))?;
        for candidate in port..=port.saturating_add(PORTS_TRIED) {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)) {
                Ok(listener) => {
                    let port = listener.local_addr()?.port();
                    return Ok(Self {
                        listener,
                        port,
                        directory,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => return Err(error).context(format!("port {candidate}")),
            }
        }
        bail!(
            "the ports {port} to {} are taken",
            port.saturating_add(PORTS_TRIED)
        )
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Serves for as long as the process lives.
    pub fn serve(self) -> Result<()> {
        let directory = Arc::new(self.directory);
        let connections = Arc::new(AtomicUsize::new(0));
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else {
                // Out of file handles, most likely: that passes.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            if connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                connections.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (directory, connections) = (Arc::clone(&directory), Arc::clone(&connections));
            thread::spawn(move || {
                // A visitor who leaves early is none of our business.
                let _ = answer(stream, &directory);
                connections.fetch_sub(1, Ordering::Relaxed);
            });
        }
        Ok(())
    }
}

/// Reads one request and answers it.
fn answer(mut stream: TcpStream, directory: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?.take(LONGEST_REQUEST));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = Vec::new();
    loop {
        header.clear();
        if reader.read_until(b'\n', &mut header)? == 0 {
            // Gone, or more than anyone needs to say.
            return respond(
                &mut stream,
                Response::error("431 Request Header Fields Too Large"),
                true,
            );
        }
        if header == b"\r\n" || header == b"\n" {
            break;
        }
    }
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let response = match method {
        "GET" | "HEAD" => find(directory, target),
        _ => Response::error("405 Method Not Allowed"),
    };
    respond(&mut stream, response, method != "HEAD")
}

struct Response {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Response {
    fn error(status: &'static str) -> Self {
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            body: format!("{status}\n").into_bytes(),
        }
    }
}

fn respond(stream: &mut TcpStream, response: Response, with_body: bool) -> io::Result<()> {
    let Response { status, kind, body } = response;
    // no-cache: asked anew each time, so that a new build is seen at once.
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if with_body {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file that a request's target names.
fn find(directory: &Path, target: &str) -> Response {
    let Some(path) = path_below(target) else {
        return Response::error("400 Bad Request");
    };
    let mut path = directory.join(path);
    if path.is_dir() {
        path.push("index.html");
    }
    // A symbolic link could still lead out.
    let inside = path
        .canonicalize()
        .is_ok_and(|path| path.starts_with(directory) && path.is_file());
    match fs::read(&path) {
        Ok(body) if inside => Response {
            status: "200 OK",
            kind: media_type(&path),
            body,
        },
        _ => Response::error("404 Not Found"),
    }
}

/// The relative path of a request's target; nothing if it is not one that stays below.
fn path_below(target: &str) -> Option<PathBuf> {
    let path = target.strip_prefix('/')?;
    let path = path.split(['?', '#']).next()?;
    let path = PathBuf::from(decode(path)?);
    let plain = |component: Component| match component {
        Component::Normal(name) => name
            .to_str()
            .is_some_and(|name| !name.starts_with('.') && !name.contains(['\\', ':', '\0'])),
        _ => false,
    };
    path.components().all(plain).then_some(path)
}

/// Resolves %xx.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn media_type(path: &Path) -> &'static str {
    match path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("")
    {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves a directory with `index.html` and `code.wasm`; beside it lies a file it must not give out.
    fn serve(name: &str) -> u16 {
        let root = crate::workspace::target().join("server-test").join(name);
        fs::create_dir_all(root.join("dist/sub")).expect("directory");
        fs::write(root.join("secret"), "secret").expect("written");
        fs::write(root.join("dist/index.html"), "<p>page").expect("written");
        fs::write(root.join("dist/code.wasm"), [0, 97, 115, 109]).expect("written");
        fs::write(root.join("dist/sub/index.html"), "<p>sub").expect("written");
        let server = Server::bind(&root.join("dist"), 0).expect("bound");
        let port = server.port;
        thread::spawn(move || server.serve());
        port
    }

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("limit");
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn files_are_served_with_their_types() {
        let port = serve("types");
        let page = ask(port, "GET /?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(
            page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("<p>page"),
            "{page}"
        );
        assert!(page.contains("Content-Type: text/html; charset=utf-8\r\n"));
        assert!(ask(port, "GET /sub/ HTTP/1.1\r\n\r\n").ends_with("<p>sub"));
        let code = ask(port, "GET /code%2Ewasm HTTP/1.1\r\n\r\n");
        assert!(
            code.contains("Content-Type: application/wasm\r\nContent-Length: 4\r\n"),
            "{code}"
        );
        assert!(ask(port, "HEAD /code.wasm HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
    }

    #[test]
    fn nothing_outside_is_served_and_nothing_else_is_done() {
        let port = serve("outside");
        for target in [
            "/../secret",
            "/%2e%2e/secret",
            "/sub/../../secret",
            "//secret",
            "/..%5csecret",
        ] {
            let answer = ask(port, &format!("GET {target} HTTP/1.1\r\n\r\n"));
            assert!(!answer.ends_with("secret"), "{target}: {answer}");
            assert!(answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
        }
        assert!(ask(port, "GET /absent HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(port, "POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        assert!(ask(port, "GET /%zz HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400"));
    }

    #[test]
    fn an_endless_request_is_cut_off() {
        let port = serve("endless");
        let answer = ask(
            port,
            &format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(64 * 1024)),
        );
        assert!(!answer.contains("200 OK"), "{answer}");
    }

    #[test]
    fn a_taken_port_leads_to_the_next_one() {
        let directory = crate::workspace::root();
        let first = Server::bind(&directory, 0).expect("bound");
        let second = Server::bind(&directory, first.port).expect("bound");
        assert!(second.port > first.port);
    }
}

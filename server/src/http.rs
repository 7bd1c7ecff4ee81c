//! As much of an HTTP/1.1 server as administration and metrics need: one request a connection, heads
//! of bounded size, bodies piece by piece. Everything that a peer may delay has a limit in time.

mod upload;

pub use upload::{Cut, Framing, Upload};

use crate::{
    inspect::{Inspector, Job},
    net::tls::{Door, Stream, TurnedAway},
};
use std::{
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    time::timeout,
};

/// The largest request line with all headers.
const HEAD: usize = 16 * 1024;
/// The most headers.
const HEADERS: usize = 64;
/// So many connections are served at a time; others wait to be accepted.
const CONNECTIONS: usize = 64;
/// How long the whole head may take.
const INTRODUCTION: Duration = Duration::from_secs(60);
/// How long what a client still sends is taken after the answer: a reset would take the answer along.
const FAREWELL: Duration = Duration::from_secs(1);

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// GET, POST …
    pub method: String,
    /// Decoded, without the query.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// The header Authorization.
    pub authorization: Option<String>,
    /// The header X-Forwarded-For.
    pub forwarded_for: Option<String>,
    /// The header Content-Type.
    pub content_type: Option<String>,
    /// HTTP/1.0 knows no chunks.
    chunks: bool,
    framing: Framing,
    /// It sends its body when it is told to.
    awaits_continue: bool,
}

impl Request {
    /// The first value of a query's member.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let mut all = self.query.iter();
        all.find(|(key, _)| key == name).map(|(_, value)| &**value)
    }
}

/// What is answered.
pub struct Response {
    /// 200 …
    pub status: u16,
    /// Its type.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// It.
    pub body: Body,
}

/// What is sent.
pub enum Body {
    /// As a whole.
    Whole(Vec<u8>),
    /// Piece by piece; with its length if that is known.
    Long(Job, Option<u64>),
}

impl Response {
    /// A short text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Response {
        Response {
            status,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: Body::Whole(text.into().into_bytes()),
        }
    }
}

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    /// Answers one from this address. Who wants its body reads it.
    fn answer(
        &self,
        request: Request,
        body: &mut Upload<'_>,
        from: SocketAddr,
    ) -> impl Future<Output = Response> + Send;
}

/// Serves until the runtime ends. A connection that is silent for `idle` is closed.
pub async fn serve(
    listener: TcpListener,
    door: Door,
    inspector: Arc<Inspector>,
    idle: Duration,
    service: Arc<impl Service>,
) {
    let door = Arc::new(door);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, from)) => {
                let (inspector, service) = (Arc::clone(&inspector), Arc::clone(&service));
                let door = Arc::clone(&door);
                tokio::spawn(async move {
                    let stream = match timeout(idle, door.open(stream, from)).await {
                        Ok(Ok(guest)) => guest.stream,
                        Ok(Err(TurnedAway::Refused(why))) => {
                            tracing::warn!(%from, "an HTTP connection was turned away: {why}");
                            return;
                        }
                        Ok(Err(TurnedAway::Gone(_))) | Err(_) => return,
                    };
                    if let Err(error) = connection(stream, from, &inspector, idle, &*service).await
                    {
                        tracing::debug!(%from, %error, "an HTTP connection ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Too many open files, most likely: it passes when others close.
                tracing::warn!(%error, "an HTTP connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub enum Bad {
    /// Nothing was said, or not all of it.
    Ended,
    /// It is none: the status that says so, and why.
    Request(u16, &'static str),
}

async fn connection(
    mut stream: Stream,
    from: SocketAddr,
    inspector: &Inspector,
    idle: Duration,
    service: &impl Service,
) -> io::Result<()> {
    let (request, rest) = match timeout(INTRODUCTION, read_head(&mut stream, idle)).await? {
        Ok(read) => read,
        Err(Bad::Ended) => return Ok(()),
        Err(Bad::Request(status, why)) => {
            let response = Response::text(status, format!("{why}\n"));
            timeout(
                idle,
                write(response, &Request::default(), inspector, &mut stream),
            )
            .await??;
            return end(stream).await;
        }
    };
    let response = match request.method.as_str() {
        "GET" | "HEAD" | "POST" => {
            let (framing, waits) = (request.framing, request.awaits_continue);
            let mut body = Upload::new(&mut stream, rest, framing, waits, idle);
            service.answer(request.clone(), &mut body, from).await
        }
        _ => Response::text(405, "only GET, HEAD and POST are answered\n"),
    };
    write(response, &request, inspector, &mut stream).await?;
    end(stream).await
}

async fn end(mut stream: Stream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    let _ = timeout(FAREWELL, async {
        while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
    })
    .await;
    Ok(())
}

/// A request, and what came behind its head.
async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    idle: Duration,
) -> Result<(Request, Vec<u8>), Bad> {
    let mut head = Vec::new();
    loop {
        match timeout(idle, stream.read_buf(&mut head)).await {
            Ok(Ok(n)) if n > 0 => {}
            Ok(_) | Err(_) => return Err(Bad::Ended),
        }
        if let Some((request, length)) = parse(&head)? {
            let rest = head.split_off(length);
            return Ok((request, rest));
        }
        if head.len() >= HEAD {
            return Err(Bad::Request(431, "the head of this request is too large"));
        }
    }
}

/// The request and how long its head is, once that is whole; until then `None`.
///
/// # Errors
/// It is none, or asks for more than a head may hold.
pub fn parse(head: &[u8]) -> Result<Option<(Request, usize)>, Bad> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let end = match parsed.parse(head) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Bad::Request(431, "this request has too many headers"));
        }
        Err(_) => return Err(Bad::Request(400, "this is no HTTP request")),
    };
    let header = |name: &str| {
        let mut all = parsed.headers.iter();
        let found = all.find(|h| h.name.eq_ignore_ascii_case(name))?;
        String::from_utf8(found.value.to_vec()).ok()
    };
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let wrong = Bad::Request(400, "the address of this request is not well formed");
    let Some(path) = decode(path, false) else {
        return Err(wrong);
    };
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(key, true), decode(value, true)) {
            (Some(key), Some(value)) => pairs.push((key, value)),
            _ => return Err(wrong),
        }
    }
    // Two that are read differently by whoever stands in between would make two requests of one.
    let only = |name: &str| {
        let all = parsed.headers.iter();
        let mut all = all.filter(|h| h.name.eq_ignore_ascii_case(name));
        match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(one), None) => match std::str::from_utf8(one.value) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(Bad::Request(
                    400,
                    "a header of this request that must be text is none",
                )),
            },
            (Some(_), Some(_)) => Err(Bad::Request(
                400,
                "a header of this request that may stand once stands there twice",
            )),
        }
    };
    let (length, encoding) = (only("content-length")?, only("transfer-encoding")?);
    let framing = upload::framing(length.as_deref(), encoding.as_deref())?;
    let expects = header("expect");
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path,
        query: pairs,
        authorization: only("authorization")?,
        forwarded_for: header("x-forwarded-for"),
        content_type: header("content-type"),
        chunks: parsed.version == Some(1),
        framing,
        awaits_continue: expects.is_some_and(|e| e.eq_ignore_ascii_case("100-continue")),
    };
    Ok(Some((request, end)))
}

/// `%41` becomes `A`; in a query `+` becomes a blank. `None` for what is not well formed.
fn decode(text: &str, plus: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus => b' ',
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

async fn write(
    response: Response,
    request: &Request,
    inspector: &Inspector,
    stream: &mut Stream,
) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let mut head = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nConnection: close\r\n",
        response.status,
        reason(response.status),
        response.content_type
    );
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let length = match &response.body {
        Body::Whole(bytes) => Some(bytes.len() as u64),
        Body::Long(_, length) => *length,
    };
    let chunked = length.is_none() && request.chunks;
    match length {
        Some(length) => head += &format!("Content-Length: {length}\r\n"),
        None if chunked => head += "Transfer-Encoding: chunked\r\n",
        // The end of the connection is the end of the body.
        None => {}
    }
    head += "\r\n";
    timeout(PATIENCE, stream.write_all(head.as_bytes())).await??;
    if request.method == "HEAD" {
        return Ok(());
    }
    match response.body {
        Body::Whole(bytes) => timeout(PATIENCE, stream.write_all(&bytes)).await?,
        Body::Long(job, _) if chunked => {
            let job: Job = Box::new(move |out| {
                let mut chunks = Chunks(io::BufWriter::with_capacity(16 * 1024, Chunk(out)));
                job(&mut chunks)?;
                chunks.0.flush()?;
                drop(chunks);
                out.write_all(b"0\r\n\r\n")
            });
            inspector.write_long(job, stream).await
        }
        Body::Long(job, _) => inspector.write_long(job, stream).await,
    }
}

/// Gathers what is written into chunks of some size.
struct Chunks<'a>(io::BufWriter<Chunk<'a>>);

impl io::Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes each piece as a chunk.
struct Chunk<'a>(&'a mut dyn io::Write);

impl io::Write for Chunk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(head: &str) -> Request {
        let parsed = parse(head.as_bytes()).expect("it is one");
        parsed.expect("it is whole").0
    }

    #[test]
    fn addresses_are_decoded_and_queries_taken_apart() {
        let r = request(
            "GET /commands/w%61tches?streaming=true&a=b+%2B&c HTTP/1.1\r\n\
             authorization: digest a:b\r\n\r\n",
        );
        assert_eq!(r.path, "/commands/watches");
        assert_eq!(r.query("streaming"), Some("true"));
        assert_eq!(
            (r.query("a"), r.query("c"), r.query("d")),
            (Some("b +"), Some(""), None)
        );
        assert_eq!(r.authorization.as_deref(), Some("digest a:b"));
    }

    #[test]
    fn a_head_that_is_not_whole_is_waited_for() {
        assert_eq!(parse(b"GET / HTTP/1.1\r\nHost: x\r\n"), Ok(None));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for head in [
            "\x16\x03\x01\x02\r\n\r\n",
            "GET /%zz HTTP/1.1\r\n\r\n",
            "GET /%ff HTTP/1.1\r\n\r\n",
        ] {
            assert!(
                matches!(parse(head.as_bytes()), Err(Bad::Request(400, _))),
                "{head:?}"
            );
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert!(matches!(parse(many.as_bytes()), Err(Bad::Request(431, _))));
    }

    #[test]
    fn what_decides_where_a_request_ends_and_who_asks_is_said_once_and_as_text() {
        for headers in [
            &b"Content-Length: 1\r\nContent-Length: 2\r\n"[..],
            b"Content-Length: 1\r\ncontent-length: 1\r\n",
            b"Content-Length: 1\xff\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
            b"Transfer-Encoding: \xffchunked\r\n",
            b"Authorization: digest a:b\r\nAuthorization: digest c:d\r\n",
            b"Authorization: digest a:\xff\r\n",
        ] {
            let head = [&b"POST / HTTP/1.1\r\n"[..], headers, b"\r\n"].concat();
            let parsed = parse(&head);
            let shown = String::from_utf8_lossy(headers);
            assert!(
                matches!(parsed, Err(Bad::Request(400, _))),
                "{shown}: {parsed:?}"
            );
        }
        // Others may say what they like.
        let r = request("GET / HTTP/1.1\r\nAccept: a\r\nAccept: b\r\nX-Forwarded-For: c\r\n\r\n");
        assert_eq!(r.forwarded_for.as_deref(), Some("c"));
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let mut endless = tokio::io::repeat(b'a');
        let refused = read_head(&mut endless, Duration::from_secs(5)).await;
        assert!(matches!(refused, Err(Bad::Request(_, _))), "{refused:?}");
        let (mut client, mut server) = tokio::io::duplex(64 * 1024);
        let long = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(HEAD));
        client
            .write_all(long.as_bytes())
            .await
            .expect("there is room");
        let refused = read_head(&mut server, Duration::from_secs(5)).await;
        assert!(matches!(refused, Err(Bad::Request(431, _))), "{refused:?}");
    }

    #[test]
    fn chunks_say_their_length() {
        let mut out = Vec::new();
        let mut chunk = Chunk(&mut out);
        chunk
            .write_all(b"hello there, world")
            .expect("a vector takes all");
        assert_eq!(out, b"12\r\nhello there, world\r\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(head: Vec<u8>) {
            let _ = parse(&head);
        }

        #[test]
        fn any_address_is_taken_or_refused(path in "[ -~]{0,40}") {
            let _ = parse(format!("GET /{path} HTTP/1.1\r\n\r\n").as_bytes());
        }
    }
}

//! A real server for tests, and the simplest of clients.

use crate::{
    Server,
    config::{ServerConfig, Sources},
};
use std::{
    collections::VecDeque,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use zabscope_core::{
    id::{SessionId, Zxid},
    request::{
        Acl, ConnectRequest, Create, CreateMode, CreateOp, ErrorCode, Reply, Request,
        Write as Change,
    },
    wire::{
        client::{Connect, Connected, decode_reply, encode_request, opcode_of},
        frame,
    },
};

const LIMIT: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on its own on free ports of 127.0.0.1, in a directory of its own.
pub struct TestServer {
    pub server: Server,
    pub directory: Directory,
}

/// A directory that goes when the test ends.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "zabscope-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("version-2")).expect("a temporary directory can be made");
        Directory(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A configuration in this directory with these lines.
pub fn config(directory: &Directory, lines: &str) -> ServerConfig {
    let file = directory.path().join("zoo.cfg");
    let text = format!(
        "dataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\nadmin.serverPort=0\n\
         metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n\
         metricsProvider.httpPort=0\n{lines}",
        directory.path().display()
    );
    fs::write(&file, text).expect("a file can be written");
    let sources = Sources {
        file: Some(&file),
        jvm_flags: None,
        sets: &[],
    };
    ServerConfig::load(&sources)
        .expect("the configuration is right")
        .config
}

impl TestServer {
    /// Runs and serves.
    pub fn start(lines: &str) -> TestServer {
        let directory = Directory::new();
        let server = Server::start(&config(&directory, lines)).expect("it starts");
        TestServer { server, directory }
    }

    fn connect(at: Option<SocketAddr>) -> TcpStream {
        let stream = TcpStream::connect(at.expect("it listens")).expect("it accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
    }

    /// What it says to these bytes on the client port before it closes.
    pub fn say(&self, bytes: &[u8]) -> String {
        let mut stream = TestServer::connect(self.server.client_address());
        stream.write_all(bytes).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// Its answer to a word.
    pub fn word(&self, word: &str) -> String {
        self.say(word.as_bytes())
    }

    /// A request on the admin port: status, head, body.
    pub fn http(&self, request: &str) -> (u16, String, Vec<u8>) {
        exchange(TestServer::connect(self.server.admin_address()), request)
    }

    /// A request with a body on the admin port; the body is sent as far as it is taken.
    pub fn post(&self, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TestServer::connect(self.server.admin_address());
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut sender = stream.try_clone().expect("a second handle");
        let body = body.to_vec();
        let sending = std::thread::spawn(move || {
            let _ = sender.write_all(&body);
            let _ = sender.shutdown(std::net::Shutdown::Write);
        });
        let answered = exchange(stream, "");
        sending.join().expect("it only writes");
        answered
    }

    /// The same on the metrics port.
    pub fn metrics(&self, request: &str) -> (u16, String, Vec<u8>) {
        exchange(TestServer::connect(self.server.metrics_address()), request)
    }

    /// A new session.
    pub fn session(&self) -> TestClient {
        self.try_session().expect("it gives a session")
    }

    /// A new session, if it gives one.
    pub fn try_session(&self) -> Option<TestClient> {
        let mut stream = TestServer::connect(self.server.client_address());
        let request = ConnectRequest {
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 10_000,
            session: SessionId(0),
            password: [0; 16],
            read_only: false,
        };
        let connect = Connect::new(&request);
        let mut out = Vec::new();
        frame::write(&mut out, |body| connect.encode(body));
        stream.write_all(&out).expect("it reads");
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut frame).expect("a whole frame");
        let answer = Connected::decode(&frame, LIMIT).expect("an answer");
        Some(TestClient {
            session: answer.response.session,
            answered_with: 0,
            stream,
            xid: 0,
            asked: VecDeque::new(),
        })
    }
}

fn exchange(mut stream: TcpStream, request: &str) -> (u16, String, Vec<u8>) {
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    let end = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8(answer[..end].to_vec()).expect("text");
    let mut body = answer[end + 4..].to_vec();
    if head.contains("Transfer-Encoding: chunked") {
        body = unchunked(&body);
    }
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    (status.expect("a status"), head, body)
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body
            .windows(2)
            .position(|w| w == b"\r\n")
            .expect("a length");
        let length = std::str::from_utf8(&body[..end]).expect("text");
        let length = usize::from_str_radix(length, 16).expect("a number");
        body = &body[end + 2..];
        whole.extend_from_slice(&body[..length]);
        assert_eq!(&body[length..length + 2], b"\r\n");
        body = &body[length + 2..];
        if length == 0 {
            assert!(body.is_empty());
            return whole;
        }
    }
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("a frame");
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).expect("a whole frame");
    body
}

fn create(path: &str, mode: CreateMode, data: Vec<u8>) -> Request {
    Request::Write(Change::Create(Create {
        path: path.into(),
        data: Some(data.into()),
        acl: Arc::from([zabscope_core::tree::acl::anyone(31)]),
        mode,
        op: CreateOp::Create,
    }))
}

/// Asks one request at a time; watch events are passed over.
pub struct TestClient {
    pub session: SessionId,
    /// How long the last frame was that answered.
    pub answered_with: usize,
    stream: TcpStream,
    xid: i32,
    /// Sent and not answered.
    asked: VecDeque<(i32, i32)>,
}

impl TestClient {
    pub fn ask(&mut self, request: Request) -> Reply {
        self.send(request);
        self.receive()
    }

    /// With a number that a client should not choose.
    pub fn ask_as(&mut self, xid: i32, request: Request) -> Reply {
        self.send_as(xid, request);
        self.receive()
    }

    /// Sends a request, and does not wait.
    pub fn send(&mut self, request: Request) {
        self.xid += 1;
        self.send_as(self.xid, request);
    }

    fn send_as(&mut self, xid: i32, request: Request) {
        let mut out = Vec::new();
        frame::write(&mut out, |body| encode_request(xid, &request, body));
        self.stream.write_all(&out).expect("it reads");
        self.asked.push_back((xid, opcode_of(&request)));
    }

    /// The answer to the oldest request that has none.
    pub fn receive(&mut self) -> Reply {
        let (xid, opcode) = self.asked.pop_front().expect("something was asked");
        loop {
            let frame = read_frame(&mut self.stream);
            if frame[..4] == xid.to_be_bytes() {
                self.answered_with = frame.len();
                return decode_reply(&frame, LIMIT, opcode).expect("a reply");
            }
        }
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Whether the server has closed the connection; what it still said is passed over.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).is_ok()
    }

    pub fn create(&mut self, path: &str, kind: CreateMode) {
        self.send_create(path, kind);
        let reply = self.receive();
        assert!(reply.result.is_ok(), "{path}: {reply:?}");
    }

    /// Without waiting.
    pub fn send_create(&mut self, path: &str, kind: CreateMode) {
        self.send(create(path, kind, b"data".to_vec()));
    }

    pub fn create_with(&mut self, path: &str, data: Vec<u8>) {
        let reply = self.ask(create(path, CreateMode::Persistent, data));
        assert!(reply.result.is_ok(), "{path}: {reply:?}");
    }

    /// Watches a path in the data table.
    pub fn watch(&mut self, path: &str) {
        let reply = self.ask(Request::Exists {
            path: path.into(),
            watch: true,
        });
        assert!(
            matches!(reply.result, Ok(_) | Err(ErrorCode::NoNode)),
            "{reply:?}"
        );
    }

    pub fn set_acl(&mut self, path: &str, acl: Acl) {
        let reply = self.ask(Request::Write(Change::SetAcl {
            path: path.into(),
            acl: Arc::from([acl]),
            version: -1,
        }));
        assert!(reply.result.is_ok(), "{reply:?}");
    }
}

//! Administration over HTTP (ZooKeeper.md 1.19): `GET /commands/<name>`, JSON back, with the names and
//! members of ZooKeeper 3.9.5.

mod commands;
mod restore;
#[cfg(test)]
mod tests;

use crate::{
    config,
    http::{Body, Request, Response, Service, Upload},
    inspect::Inspector,
    net::words::NOT_SERVING,
};
use commands::{Command, Said};
use serde_json::{Map, Value};
use std::{
    fs,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use tokio::sync::Mutex;
use zabscope_core::{
    config::Rights,
    request::{AuthId, ErrorCode, perms},
    tree::{Database, acl},
    wire::snapshot::{Encoder, Form},
};

/// A snapshot that does not say where it ends can't be restored, so none is given away either.
const NEEDS_ZXID: &str = "snapshot and restore need serializeLastProcessedZxid.enabled=true";

/// Answers commands.
pub struct Admin {
    inspector: Arc<Inspector>,
    settings: config::Admin,
    /// zoo.cfg as it was at the start, passwords left out.
    initial_config: String,
    /// Held while a snapshot is made.
    last_snapshot: Mutex<Option<Instant>>,
    /// Held while a snapshot is restored.
    last_restore: Mutex<Option<Instant>>,
}

/// Who asks for something that needs rights.
#[derive(Debug)]
struct Caller {
    ids: Vec<AuthId>,
    address: IpAddr,
}

/// Why a command that needs rights is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denied {
    /// 401: nobody said who they are.
    Missing,
    /// 401: what they said proves nothing.
    NotAuthenticated,
    /// 403.
    NotAuthorized,
    /// The node did not answer, or serves nobody.
    NotServing,
}

impl Admin {
    /// With these settings.
    #[must_use]
    pub fn new(inspector: Arc<Inspector>, settings: config::Admin) -> Admin {
        let file = inspector.config.file.as_deref();
        let text = file.and_then(|path| fs::read_to_string(path).ok());
        Admin {
            inspector,
            settings,
            initial_config: text.map(|text| without_secrets(&text)).unwrap_or_default(),
            last_snapshot: Mutex::new(None),
            last_restore: Mutex::new(None),
        }
    }

    fn links(&self) -> Response {
        let url = &self.settings.command_url;
        let mut names: Vec<&str> = Command::ALL.iter().map(|c| c.name()).collect();
        names.sort_unstable();
        let page: String = names
            .into_iter()
            .map(|name| format!("<a href=\"{url}/{name}\">{name}</a>\n<br/>\n"))
            .collect();
        Response {
            status: 200,
            content_type: "text/html; charset=utf-8",
            headers: Vec::new(),
            body: Body::Whole(page.into_bytes()),
        }
    }

    async fn command(
        &self,
        name: &str,
        request: &Request,
        body: &mut Upload<'_>,
        from: SocketAddr,
    ) -> Response {
        let Some(command) = Command::called(name) else {
            return answer(
                200,
                name,
                Some(&format!("Unknown command: {name}")),
                Map::new(),
            );
        };
        let name = command.name();
        if command.needs_server() {
            let serving = self.inspector.ask(|view| view.peer.answers()).await;
            if serving != Some(true) {
                return self.not_serving(command);
            }
        }
        let mut caller = Caller {
            ids: Vec::new(),
            address: self.address(request, from),
        };
        if command.needs_rights() {
            let denied = match self.authorize(request, caller.address).await {
                Ok(ids) => {
                    caller.ids = ids;
                    None
                }
                Err(Denied::Missing) => Some((401, "Auth info is missing for the command")),
                Err(Denied::NotAuthenticated) => Some((401, "Not authenticated")),
                Err(Denied::NotAuthorized) => Some((403, "Not authorized")),
                Err(Denied::NotServing) => return self.not_serving(command),
            };
            if let Some((status, why)) = denied {
                return answer(status, name, Some(why), Map::new());
            }
        }
        if (request.method == "POST") != (command == Command::Restore) {
            let why = match command {
                Command::Restore => "restore takes a snapshot: send it with POST",
                _ => "this command takes nothing: use GET",
            };
            return answer(405, name, Some(why), Map::new());
        }
        match command {
            Command::Snapshot => self.snapshot(request).await,
            Command::Restore => self.restore(request, body, &caller).await,
            _ => match command
                .run(&self.inspector, request, &self.initial_config)
                .await
            {
                Some(Said::Members(members)) => answer(200, name, None, members),
                Some(Said::Long(job)) => Response {
                    status: 200,
                    content_type: "application/json",
                    headers: Vec::new(),
                    body: Body::Long(job, None),
                },
                None => answer(200, name, Some(NOT_SERVING), Map::new()),
            },
        }
    }

    /// A server that does not serve says so with 200, as Apache's, but where a script would take that for a
    /// copy that was made or put back.
    fn not_serving(&self, command: Command) -> Response {
        let metrics = &self.inspector.metrics;
        let failed = match command {
            Command::Snapshot => Some(&metrics.snapshot_error_count),
            Command::Restore => Some(&metrics.restore_error_count),
            _ => None,
        };
        let status = if failed.is_some() { 503 } else { 200 };
        failed.inspect(|count| count.one());
        answer(status, command.name(), Some(NOT_SERVING), Map::new())
    }

    /// Who asks, if that is somebody with all permissions on `/`.
    async fn authorize(&self, request: &Request, address: IpAddr) -> Result<Vec<AuthId>, Denied> {
        let given = request.authorization.as_deref().ok_or(Denied::Missing)?;
        let auth = &self.inspector.config.auth;
        let root = self.inspector.ask(|view| {
            let peer = view.peer;
            let root = peer.database().tree.node("/").map(|node| {
                let rights = peer.config().rights.clone();
                (Arc::clone(node.acl()), rights)
            });
            root.filter(|_| peer.serving())
        });
        let (root, rights) = root.await.flatten().ok_or(Denied::NotServing)?;
        let ids = prove(&rights, given, address)?;
        let each = [
            perms::READ,
            perms::WRITE,
            perms::CREATE,
            perms::DELETE,
            perms::ADMIN,
        ];
        let all = each
            .into_iter()
            .all(|one| acl::allows(&rights, &root, one, &ids));
        if all || auth.skip_acl {
            Ok(ids)
        } else {
            Err(Denied::NotAuthorized)
        }
    }

    /// From where a request comes; a proxy's word counts only if the configuration says so.
    fn address(&self, request: &Request, from: SocketAddr) -> IpAddr {
        let direct = from.ip().to_canonical();
        if !self.inspector.config.auth.use_x_forwarded_for {
            return direct;
        }
        let first = request
            .forwarded_for
            .as_deref()
            .and_then(|all| all.split(',').next());
        first
            .and_then(|first| first.trim().parse().ok())
            .unwrap_or(direct)
    }

    async fn snapshot(&self, request: &Request) -> Response {
        let name = Command::Snapshot.name();
        let metrics = &self.inspector.metrics;
        if !self.settings.snapshot {
            let why = "snapshot is switched off (admin.snapshot.enabled)";
            return answer(503, name, Some(why), Map::new());
        }
        if !self.inspector.config.storage.serialize_last_processed_zxid {
            return answer(500, name, Some(NEEDS_ZXID), Map::new());
        }
        // Every interval one that succeeds, and whoever comes meanwhile waits to see whether it does. Apache
        // counts the interval in millionths instead of thousandths of a second, which limits nothing.
        let mut last = self.last_snapshot.lock().await;
        if last.is_some_and(|at| at.elapsed() < self.settings.rate_limit) {
            metrics.snapshot_rate_limited_count.one();
            let why = format!(
                "a snapshot was asked for less than {} s ago (admin.rateLimiterIntervalInMS)",
                self.settings.rate_limit.as_secs_f64()
            );
            return answer(429, name, Some(&why), Map::new());
        }
        // A consistent copy that shares everything with the living tree.
        let db = self
            .inspector
            .ask(|view| view.peer.database().clone())
            .await;
        let Some(db) = db else {
            metrics.snapshot_error_count.one();
            return answer(503, name, Some(NOT_SERVING), Map::new());
        };
        let zxid = db.last_processed;
        let measured = tokio::task::spawn_blocking(move || (measure(&db), db)).await;
        let Ok((size, db)) = measured else {
            metrics.snapshot_error_count.one();
            return answer(
                500,
                name,
                Some("the snapshot could not be made"),
                Map::new(),
            );
        };
        *last = Some(Instant::now());
        let mut response = if request
            .query("streaming")
            .is_none_or(|s| s.eq_ignore_ascii_case("true"))
        {
            let job = Box::new(move |out: &mut dyn std::io::Write| {
                let mut encoder = Encoder::new(&db, Form::FILE);
                let mut piece = Vec::new();
                while encoder.next_chunk(&mut piece) {
                    out.write_all(&piece)?;
                    piece.clear();
                }
                Ok(())
            });
            Response {
                status: 200,
                content_type: "application/octet-stream",
                headers: Vec::new(),
                body: Body::Long(job, Some(size)),
            }
        } else {
            answer(200, name, None, Map::new())
        };
        response.headers = vec![
            ("last_zxid", zxid.to_string()),
            ("snapshot_size", size.to_string()),
        ];
        response
    }
}

impl Service for Admin {
    async fn answer(&self, request: Request, body: &mut Upload<'_>, from: SocketAddr) -> Response {
        let below = request.path.strip_prefix(&self.settings.command_url);
        match below {
            Some("" | "/") => self.links(),
            Some(name) if name.starts_with('/') => {
                self.command(&name[1..], &request, body, from).await
            }
            _ => Response::text(
                404,
                format!("commands are at {}\n", self.settings.command_url),
            ),
        }
    }
}

/// How many bytes a snapshot has.
fn measure(db: &Database) -> u64 {
    let mut encoder = Encoder::new(db, Form::FILE);
    let (mut size, mut piece) = (0, Vec::new());
    while encoder.next_chunk(&mut piece) {
        size += piece.len() as u64;
        piece.clear();
    }
    size
}

/// The identities that `<scheme> <auth>` proves.
fn prove(rights: &Rights, given: &str, from: IpAddr) -> Result<Vec<AuthId>, Denied> {
    let mut words = given.split(' ');
    let (scheme, auth) = match (words.next(), words.next(), words.next()) {
        (Some(scheme), auth, None) => (scheme, auth.unwrap_or_default()),
        _ => return Err(Denied::NotAuthenticated),
    };
    let address = AuthId {
        scheme: "ip".into(),
        id: from.to_string().into(),
    };
    acl::authenticate(rights, scheme, auth.as_bytes(), &[address])
        .map_err(|_: ErrorCode| Denied::NotAuthenticated)
}

/// The answer as ZooKeeper gives it: `command`, `error`, and what the command says.
fn answer(
    status: u16,
    command: &str,
    error: Option<&str>,
    members: Map<String, Value>,
) -> Response {
    let mut all = Map::new();
    all.insert("command".into(), command.into());
    all.insert("error".into(), error.into());
    all.extend(members);
    // A map of names to values always can be written.
    let mut text = serde_json::to_vec_pretty(&all).unwrap_or_default();
    text.push(b'\n');
    let response = Response::text(status, "");
    Response {
        content_type: "application/json",
        body: Body::Whole(text),
        ..response
    }
}

/// A configuration whose passwords may be seen by whoever may ask.
fn without_secrets(text: &str) -> String {
    let secret = |line: &str| {
        let key = line
            .split(['=', ':'])
            .next()
            .unwrap_or_default()
            .to_lowercase();
        key.contains("passw") && !key.contains("passwordpath") || key.contains("superdigest")
    };
    let mut shown = String::with_capacity(text.len());
    let mut goes_on = false;
    for line in text.lines() {
        let hidden = goes_on || secret(line);
        goes_on = hidden && line.ends_with('\\');
        match line.split_once(['=', ':']).filter(|_| hidden) {
            Some((key, _)) => shown += &format!("{key}=(not shown)"),
            None if hidden => {}
            None => shown += line,
        }
        shown += "\n";
    }
    shown
}

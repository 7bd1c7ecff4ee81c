//! What a request costs a server alone, without sockets and files: a read, and a write with its group
//! commit.

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use criterion::{BatchSize, Criterion, Throughput};
    use std::{hint::black_box, sync::Arc};
    use zabscope_core::{
        config::Config,
        id::ClientId,
        log::Stored,
        peer::input::InputKind,
        request::{Create, CreateMode, CreateOp, Request, Write},
        time::Span,
        tree::acl,
    };
    use zabscope_tests::driven::Driven;

    /// Requests in one measurement.
    const REQUESTS: i32 = 1000;
    /// Writes between two words of the disk.
    const BATCH: i32 = 50;
    /// Znodes that are there.
    const ZNODES: i32 = 10_000;

    fn create(path: String) -> Request {
        Request::Write(Write::Create(Create {
            path: path.into(),
            data: Some(vec![7; 100].into()),
            acl: acl::open(),
            mode: CreateMode::Persistent,
            op: CreateOp::Create,
        }))
    }

    fn ask(server: &mut Driven, xid: i32, request: Request) {
        server.tell(InputKind::ClientRequest {
            client: ClientId(1),
            xid,
            request,
        });
    }

    /// One client, and znodes below `/a`.
    fn server() -> Driven {
        let config = Config::standalone(Span::millis(2000));
        let mut server = Driven::configured(config, &Stored::fresh());
        server.proposes(1);
        server.durable();
        ask(&mut server, 0, create("/a".to_owned()));
        for n in 0..ZNODES {
            ask(&mut server, n, create(format!("/a/{n}")));
        }
        server.durable();
        server
    }

    pub fn requests(c: &mut Criterion) {
        let ready = server();
        let mut group = c.benchmark_group("a server alone");
        group.throughput(Throughput::Elements(REQUESTS as u64));
        let paths: Vec<Arc<str>> = (0..REQUESTS).map(|n| format!("/a/{n}").into()).collect();
        group.bench_function("getData", |b| {
            b.iter_batched_ref(
                || ready.clone(),
                |server| {
                    for (xid, path) in (0..).zip(&paths) {
                        let path = Arc::clone(path);
                        ask(server, xid, Request::GetData { path, watch: false });
                        black_box(&server.out);
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function("create", |b| {
            b.iter_batched_ref(
                || {
                    let new = (0..REQUESTS).map(|n| create(format!("/a/new{n}")));
                    (ready.clone(), new.collect::<Vec<_>>())
                },
                |(server, new)| {
                    for (xid, request) in (0..).zip(new.drain(..)) {
                        ask(server, xid, request);
                        if xid % BATCH == BATCH - 1 {
                            server.durable();
                        }
                        black_box(&server.out);
                    }
                },
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    let mut criterion = criterion::Criterion::default().configure_from_args();
    native::requests(&mut criterion);
    criterion.final_summary();
}

/// criterion is native.
#[cfg(target_arch = "wasm32")]
fn main() {}

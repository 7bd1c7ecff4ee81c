//! The crate zookeeper-client at work, with the leader killed underneath; see the test `programs`.

use std::io::{Read, stdin};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use zookeeper_client as zk;

const LIMIT: Duration = Duration::from_secs(30);

fn check(right: bool, what: &str) -> Result<()> {
    ensure!(right, "{what}");
    println!("- {what}");
    Ok(())
}

/// The connection may be lost while servers change: then again, as applications do it.
async fn insist<T, F>(mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, zk::Error>>,
{
    let deadline = Instant::now() + LIMIT;
    loop {
        match call().await {
            Ok(value) => return Ok(value),
            Err(zk::Error::ConnectionLoss) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => bail!("{error}"),
        }
    }
}

async fn run(servers: &str) -> Result<()> {
    let connector = || zk::Client::connector().with_session_timeout(Duration::from_secs(20));
    let client = connector().connect(servers).await?;
    let other = connector().connect(servers).await?;
    let open = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
    let ephemeral = zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all());
    let queued = zk::CreateMode::EphemeralSequential.with_acls(zk::Acls::anyone_all());

    client.create("/rust", b"one", &open).await?;
    let (data, stat, watcher) = client.get_and_watch_data("/rust").await?;
    check(
        data == b"one" && stat.version == 0,
        "what was written is read",
    )?;
    other.sync("/rust").await?;
    other.set_data("/rust", b"two", Some(0)).await?;
    let event = watcher.changed().await;
    check(
        event.event_type == zk::EventType::NodeDataChanged,
        "and the watch tells",
    )?;
    let refused = other.set_data("/rust", b"three", Some(0)).await;
    check(
        refused == Err(zk::Error::BadVersion),
        "an old version is refused",
    )?;

    let mut transaction = client.new_multi_writer();
    transaction.add_create("/rust/a", b"a", &open)?;
    transaction.add_set_data("/rust/a", b"b", Some(0))?;
    transaction.add_delete("/rust/a", Some(1))?;
    check(
        transaction.commit().await?.len() == 3,
        "a transaction of three",
    )?;

    // The first in a queue holds, the second waits until the first's session ends.
    for root in ["/rust-lock", "/rust-election"] {
        let one = connector().connect(servers).await?;
        let two = connector().connect(servers).await?;
        one.create(root, b"", &open).await?;
        let place = format!("{root}/n-");
        let (_, first) = one.create(&place, b"", &queued).await?;
        let (_, second) = two.create(&place, b"", &queued).await?;
        check(
            first.into_i64() < second.into_i64(),
            "the first is before the second",
        )?;
        let held = format!("{place}{first}");
        let (stat, gone) = two.check_and_watch_stat(&held).await?;
        check(stat.is_some(), "the second watches the first")?;
        drop(one);
        let event = gone.changed().await;
        check(
            event.event_type == zk::EventType::NodeDeleted,
            "the first goes",
        )?;
        let left = two.list_children(root).await?;
        check(left == [format!("n-{second}")], "then the second holds it")?;
    }

    client.create("/rust/here", b"", &ephemeral).await?;
    let id = client.session_id();
    let (_, _, watcher) = insist(|| client.get_and_watch_children("/rust")).await?;

    println!("KILL THE LEADER");
    let mut answer = [0];
    stdin().read_exact(&mut answer)?;
    check(answer == *b"k", "the leader is killed")?;

    insist(|| client.set_data("/rust", b"after", None)).await?;
    check(
        client.session_id() == id,
        "the others go on without it, in the same session",
    )?;
    let stat = insist(|| other.check_stat("/rust/here")).await?;
    let owner = stat.context("an ephemeral node stays")?.ephemeral_owner;
    check(owner == id.0, "and belongs to its session")?;
    match insist(|| other.create("/rust/b", b"", &open)).await {
        Ok(_) => {}
        // The reply was lost with the connection.
        Err(error) if error.to_string() == zk::Error::NodeExists.to_string() => {}
        Err(error) => return Err(error),
    }
    let event = watcher.changed().await;
    check(
        event.event_type == zk::EventType::NodeChildrenChanged,
        "a watch set before tells",
    )?;
    println!("PASSED");
    Ok(())
}

fn main() -> Result<()> {
    let servers = std::env::args()
        .nth(1)
        .context("the servers, as host:port,host:port")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(&servers))
}

//! A test of a ZooKeeper client, as one would write it: an ensemble in this process, a watch, and a member
//! that is killed underneath.
//!
//! `cargo run -p zabscope-server --example embedded`

use std::{error::Error, time::Duration};
use zabscope_server::Server;
use zookeeper_client::{Acls, Client, CreateMode, EventType};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut zookeeper = Server::builder().servers(3).start()?;
    zookeeper.wait_until_serving(LIMIT)?;
    println!("three servers: {}", zookeeper.connect_string());

    let connect = || Client::connector().with_session_timeout(Duration::from_secs(10));
    let client = connect().connect(&zookeeper.connect_string()).await?;
    let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
    client.create("/greeting", b"hello", &persistent).await?;
    let (_, _, watcher) = client.get_and_watch_data("/greeting").await?;

    // Whoever leads goes, and with it perhaps this client's server: the session lives on elsewhere.
    let leader = zookeeper.leader().ok_or("nobody leads")?;
    zookeeper.kill(leader)?;
    zookeeper.wait_until_serving(LIMIT)?;
    println!(
        "server {leader} led and was killed; now {:?} leads",
        zookeeper.leader()
    );

    // Another client changes the data through the new leader.
    let other = connect().connect(&zookeeper.connect_string()).await?;
    other.set_data("/greeting", b"hello again", None).await?;
    let event = tokio::time::timeout(LIMIT, watcher.changed()).await?;
    assert_eq!(event.event_type, EventType::NodeDataChanged);
    println!("the watch told of {}", event.path);

    zookeeper.restart(leader)?;
    zookeeper.wait_until_serving(LIMIT)?;
    let (data, _) = other.get_data("/greeting").await?;
    assert_eq!(data, b"hello again");
    println!("server {leader} is back, and nothing is lost");
    Ok(())
}

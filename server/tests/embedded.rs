//! `Server::builder`: servers inside a program, as a test of a client sees them.

use std::{net::TcpStream, time::Duration};
use zabscope_server::{Server, embedded::EmbeddedError};
use zookeeper_client::{Acls, Client, CreateMode};

/// The longest that anything may take on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

async fn client(at: &str) -> Client {
    let connect = Client::connector()
        .with_session_timeout(Duration::from_secs(8))
        .connect(at);
    tokio::time::timeout(LIMIT, connect)
        .await
        .expect("in time")
        .expect("connected")
}

#[tokio::test]
async fn a_server_answers_and_its_directory_goes_with_it() {
    let zookeeper = Server::builder().start().expect("started");
    zookeeper.wait_until_serving(LIMIT).expect("serves");
    assert_eq!(zookeeper.leader(), Some(1));
    let directory = zookeeper.directory().to_owned();
    assert!(directory.exists());
    let at = zookeeper.connect_string();
    let client = client(&at).await;
    let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
    client
        .create("/a", b"1", &persistent)
        .await
        .expect("created");
    assert_eq!(client.get_data("/a").await.expect("read").0, b"1");
    drop(client);
    // On a thread that runs futures: a test's handle ends there.
    drop(zookeeper);
    assert!(!directory.exists());
    assert!(TcpStream::connect(&at).is_err(), "it still listens");
}

#[tokio::test]
async fn an_ensemble_survives_its_leader_and_takes_it_back_on_the_same_port() {
    let mut zookeeper = Server::builder().servers(3).start().expect("started");
    zookeeper.wait_until_serving(LIMIT).expect("serves");
    let first = client(&zookeeper.connect_string()).await;
    let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
    first
        .create("/a", b"1", &persistent)
        .await
        .expect("created");

    let leader = zookeeper.leader().expect("serves");
    let at = zookeeper.address(leader).expect("known");
    zookeeper.kill(leader).expect("killed");
    assert!(TcpStream::connect(at).is_err(), "it still listens");
    zookeeper
        .wait_until_serving(LIMIT)
        .expect("the others serve");
    assert!(zookeeper.leader().is_some_and(|new| new != leader));
    let others = client(&zookeeper.connect_string()).await;
    others
        .create("/b", b"2", &persistent)
        .await
        .expect("created");

    zookeeper.restart(leader).expect("restarted");
    assert!(matches!(
        zookeeper.restart(leader),
        Err(EmbeddedError::Running(_))
    ));
    zookeeper.wait_until_serving(LIMIT).expect("all serve");
    let back = client(&at.to_string()).await;
    assert_eq!(back.get_data("/a").await.expect("read").0, b"1");
    assert_eq!(back.get_data("/b").await.expect("read").0, b"2");
}

#[tokio::test]
async fn a_directory_of_ones_own_stays_and_is_continued() {
    let directory = tempfile::tempdir().expect("a directory");
    let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
    for round in 0..2 {
        let mut zookeeper = Server::builder()
            .data_dir(directory.path())
            .start()
            .expect("started");
        let client = client(&zookeeper.connect_string()).await;
        let there = client.check_stat("/kept").await.expect("asked").is_some();
        assert_eq!(there, round == 1);
        if round == 0 {
            client
                .create("/kept", b"", &persistent)
                .await
                .expect("created");
        }
        zookeeper.stop(1).expect("stopped");
        zookeeper
            .stop(1)
            .expect("stopped already, which is no error");
    }
}

#[test]
fn what_is_wrong_with_a_builder_is_said() {
    let none = Server::builder().servers(0).start();
    assert!(matches!(none, Err(EmbeddedError::Count(0))));
    let wrong = Server::builder().set("initLimit", "many").start();
    let Err(EmbeddedError::Config(problems)) = wrong else {
        panic!("accepted: {wrong:?}");
    };
    assert!(problems.to_string().contains("initLimit"), "{problems}");
    let mut one = Server::builder().start().expect("started");
    assert!(matches!(one.stop(2), Err(EmbeddedError::Unknown(2))));
}

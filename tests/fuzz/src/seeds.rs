//! What each target begins with: recordings of Apache's servers and clients, and texts.

const CLIENT: &str = include_str!("../../../core/tests/fixtures/client.jsonl");
const ELECTIONS: [&str; 2] = [
    include_str!("../../../core/tests/fixtures/election-start.jsonl"),
    include_str!("../../../core/tests/fixtures/election-second-election.jsonl"),
];
const QUORUM: [&str; 3] = [
    include_str!("../../../core/tests/fixtures/quorum-diff.jsonl"),
    include_str!("../../../core/tests/fixtures/quorum-reconfig.jsonl"),
    include_str!("../../../core/tests/fixtures/quorum-broadcast.jsonl"),
];
const RECORDS: [&str; 2] = [
    include_str!("../../../core/tests/fixtures/files-log.1.jsonl"),
    include_str!("../../../core/tests/fixtures/files-log.1e.jsonl"),
];
const LOGS: [&[u8]; 2] = [
    include_bytes!("../../../core/tests/fixtures/files/log.1"),
    include_bytes!("../../../core/tests/fixtures/files/log.1e"),
];
const SNAPSHOTS: [&[u8]; 2] = [
    include_bytes!("../../../core/tests/fixtures/files/snapshot.0"),
    include_bytes!("../../../core/tests/fixtures/files/snapshot.1d"),
];
/// No recording of one target is longer; a fuzzer does not go far with long ones.
const LONGEST: usize = 16 << 10;
/// So many of each recording.
const MOST: usize = 150;

const ZOO_CFG: &str = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/d\nclientPort=2181\n\
    # a comment\n4lw.commands.whitelist=stat, ruok\nautopurge.purgeInterval=1\n\
    maxClientCnxns : 60\nserver.1=a.example:2888:3888\nserver.2=[::1]:2888:3888:observer;2181\n\
    server.3=127.0.0.1:1:2|127.0.0.1:3:4\ngroup.1=1:2\nweight.1=3\nsuperDigest=a:b\n\
    authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n\
    quorum.auth.enableSasl=true\njute.maxbuffer=0xfffff\nkey=a\\u00e9\\\n   more\n";
const JVM_FLAGS: &str = "-Xmx1g \"-Dzookeeper.superUser=a b\" -Djute.maxbuffer=4096 -D";
const MEMBERS: &str = "server.1=127.0.0.1:2888:3888:participant;0.0.0.0:2181\n\
    server.2=[::1]:2888:3888:observer\ngroup.1=1:2\nweight.1=1\nversion=100000003";
const JAAS: &str = "/* a */ Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n\
    user_super=\"admin\\\"secret\" user_bob='b'; // b\n};\n\"QuorumLearner\" { a.B optional \
    username=\"x\" password=\"\\101y\"; };";
const RESPONSE: &str = "charset=utf-8,username=\"bob\",realm=\"zk-sasl-md5\",nonce=\"NONCE\",\
    nc=00000001,cnonce=\"O/j3\",digest-uri=\"zookeeper/zk-sasl-md5\",maxbuf=65536,\
    response=5d1c43cfc8f66044a52deaa8eaa0c4c0,qop=auth,authzid=\"bob\"";
const CHALLENGE: &str = "realm=\"zk-sasl-md5\",nonce=\"+dMg\\\"\",qop=\"auth-int,auth\",\
    charset=utf-8,algorithm=md5-sess";
const HTTP: [&str; 2] = [
    "GET /commands/stat?a=b%20c+d&e HTTP/1.1\r\nHost: a\r\nAuthorization: digest a:b\r\n\
     X-Forwarded-For: 1.2.3.4\r\n\r\n",
    "POST /commands/restore HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
];

/// The bytes of a recording's lines that have this text in them.
fn recorded(lines: &str, with: &str) -> Vec<Vec<u8>> {
    let lines = lines.lines().filter(|line| line.contains(with));
    lines
        .filter_map(|line| {
            let (_, rest) = line.split_once("\"hex\": \"")?;
            let (digits, _) = rest.split_once('"')?;
            let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            (0..digits.len()).step_by(2).map(byte).collect()
        })
        .filter(|bytes: &Vec<u8>| bytes.len() <= LONGEST)
        .take(MOST)
        .collect()
}

/// The same behind the byte by which a target chooses.
fn chosen(n: u8, all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    all.into_iter()
        .map(|bytes| [&[n][..], &bytes].concat())
        .collect()
}

/// Without the length before them.
fn bodies(all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    all.into_iter()
        .filter_map(|bytes| bytes.get(4..).map(<[u8]>::to_vec))
        .collect()
}

/// The beginnings of a target's corpus; none for a name that is no target.
pub fn of(name: &str) -> Vec<Vec<u8>> {
    let text = |text: &str| vec![text.as_bytes().to_vec()];
    match name {
        "client_request" => bodies(recorded(CLIENT, "\"sender\": \"client\"")),
        "client_reply" => {
            let all = bodies(recorded(CLIENT, "\"sender\": \"server\""));
            let each = |(n, bytes)| chosen(u8::try_from(n % 24).unwrap_or(0), vec![bytes]);
            all.into_iter().enumerate().flat_map(each).collect()
        }
        "connect" => {
            let mut all = recorded(CLIENT, "\"op\": \"connect\"");
            all.push(b"mntr".to_vec());
            all
        }
        "notification" => ELECTIONS
            .iter()
            .flat_map(|lines| {
                let greetings = recorded(lines, "\"kind\": \"greeting\"");
                let others = bodies(recorded(lines, "\"kind\": \"notification\""));
                [chosen(0, greetings), chosen(1, others)].concat()
            })
            .collect(),
        "quorum_packet" => QUORUM
            .iter()
            .flat_map(|lines| {
                let learner = recorded(lines, "\"sender\": \"learner\"");
                let leader = recorded(lines, "\"sender\": \"leader\"");
                [chosen(0, learner), chosen(1, leader)].concat()
            })
            .collect(),
        // Sum and length stand before a record, one byte after it.
        "txn" => RECORDS
            .iter()
            .flat_map(|lines| recorded(lines, "\"hex\""))
            .filter_map(|bytes| bytes.get(12..bytes.len() - 1).map(<[u8]>::to_vec))
            .collect(),
        "txn_log" => LOGS.iter().map(|log| log[..end(log)].to_vec()).collect(),
        "snapshot" => SNAPSHOTS
            .iter()
            .flat_map(|file| (0..4).flat_map(|n| chosen(n, vec![file.to_vec()])))
            .collect(),
        "zoo_cfg" => text(&format!("{ZOO_CFG}\0{JVM_FLAGS}")),
        "members" => text(MEMBERS),
        "jaas" => text(JAAS),
        "sasl" => [
            chosen(0, text(RESPONSE)),
            chosen(1, text(CHALLENGE)),
            chosen(1, text("rspauth=42fe97b33a23040271c79b69e8f8f7fb")),
            vec![b"\x02\x5f\x24\x35\x01\x35\x01\xed\xcc\0\0\0\0\0\0\0\x02ab".to_vec()],
        ]
        .concat(),
        "http_head" => HTTP.iter().flat_map(|head| text(head)).collect(),
        _ => Vec::new(),
    }
}

/// Where the zeros begin with which a log is filled up.
fn end(log: &[u8]) -> usize {
    let last = log.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| (last + 64).min(log.len()))
}

//! Asks servers how they are, over the four-letter words `srvr` and `mntr` (ZooKeeper.md 1.18). Apache's
//! servers answer as well.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    io, thread,
    time::{Duration, Instant},
};
use zabscope_core::members::HostPort;
use zabscope_server::{client::word, net::tls::Context};

/// So many servers are asked at the same time.
const AT_ONCE: usize = 32;
/// What a server without a quorum says.
const NOT_SERVING: &str = "not currently serving requests";
const NOT_ALLOWED: &str = "is not in the whitelist";
/// What it may be that closes the connection without an answer, in order or not.
const SILENT: &str = "it closes the connection and says nothing; if it is a port for TLS, \
                      --client-configuration is needed";
/// What an alert of TLS begins with.
const ALERT: char = '\u{15}';

/// One server's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// As it was asked for.
    pub address: String,
    /// What became of it.
    pub state: State,
    /// `leader`, `follower`, `observer`, `standalone`, `read-only`.
    pub mode: Option<String>,
    /// The upper half of its zxid; a server that has begun a new epoch and has written nothing in it
    /// may still show the one before.
    pub epoch: Option<u32>,
    /// The last transaction it has applied.
    pub zxid: Option<String>,
    /// Transactions behind the one of these servers that is furthest; nothing if that is in another epoch.
    pub lag: Option<u32>,
    /// Connections of clients; Apache counts the one that asks.
    pub clients: Option<u64>,
    /// Znodes.
    pub znodes: Option<u64>,
    /// Minimum, mean and maximum in ms.
    pub latency_ms: Option<[f64; 3]>,
    /// Requests under way.
    pub outstanding: Option<u64>,
    /// What it calls itself.
    pub version: Option<String>,
    /// Of a leader: followers that are in step; only if `mntr` is allowed.
    pub synced_followers: Option<u64>,
    /// Open sessions; only if `mntr` is allowed.
    pub sessions: Option<u64>,
    /// Why there is nothing, for a person.
    pub problem: Option<String>,
}

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It serves clients.
    Serving,
    /// It runs and has no quorum.
    NotServing,
    /// It answers, but not this question.
    NotAllowed,
    /// There is no answer.
    Unreachable,
}

impl State {
    /// For a table.
    pub fn name(self) -> &'static str {
        match self {
            State::Serving => "serving",
            State::NotServing => "not serving",
            State::NotAllowed => "not allowed",
            State::Unreachable => "unreachable",
        }
    }
}

/// Asks all of them, with TLS or without; the answers stand in the same order.
pub fn ask_all(servers: &[HostPort], tls: Option<&Context>, limit: Duration) -> Vec<Report> {
    let mut reports = Vec::with_capacity(servers.len());
    for some in servers.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let asked: Vec<_> = some
                .iter()
                .map(|server| {
                    let asking =
                        thread::Builder::new().spawn_scoped(scope, move || ask(server, tls, limit));
                    (server, asking)
                })
                .collect();
            for (server, asking) in asked {
                // Without a thread one after the other.
                let report = match asking {
                    Ok(asking) => asking.join().ok(),
                    Err(_) => Some(ask(server, tls, limit)),
                };
                reports.extend(report);
            }
        });
    }
    add_lag(&mut reports);
    reports
}

fn ask(server: &HostPort, tls: Option<&Context>, limit: Duration) -> Report {
    let until = Instant::now() + limit;
    let address = server.to_string();
    let mut report = match word(server, "srvr", tls, until) {
        Ok(text) => read_srvr(&address, &text),
        Err(error) if tls.is_none() && error.kind() == io::ErrorKind::ConnectionReset => {
            failed(&address, State::Unreachable, SILENT.into())
        }
        Err(error) => failed(&address, State::Unreachable, error.to_string()),
    };
    if report.state == State::Serving
        && let Ok(text) = word(server, "mntr", tls, until)
    {
        add_mntr(&mut report, &text);
    }
    report
}

fn failed(address: &str, state: State, problem: String) -> Report {
    Report {
        address: address.to_owned(),
        state,
        mode: None,
        epoch: None,
        zxid: None,
        lag: None,
        clients: None,
        znodes: None,
        latency_ms: None,
        outstanding: None,
        version: None,
        synced_followers: None,
        sessions: None,
        problem: Some(problem),
    }
}

fn read_srvr(address: &str, text: &str) -> Report {
    if text.contains(NOT_SERVING) {
        let problem = "it runs, but has no quorum";
        return failed(address, State::NotServing, problem.into());
    }
    if text.contains(NOT_ALLOWED) {
        let problem = "it runs, but its 4lw.commands.whitelist lacks srvr";
        return failed(address, State::NotAllowed, problem.into());
    }
    let lines: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(key, value)| (key, value.trim()))
        .collect();
    let (Some(mode), Some(zxid)) = (
        lines.get("Mode"),
        lines.get("Zxid").and_then(|z| zxid_of(z)),
    ) else {
        let problem = match text.is_empty() {
            true => SILENT,
            false if text.starts_with(ALERT) => {
                "it speaks TLS there: name keys with --client-configuration"
            }
            false => "what answers there is no ZooKeeper server",
        };
        return failed(address, State::Unreachable, problem.into());
    };
    let number = |key| lines.get(key).and_then(|n| n.parse().ok());
    let latency = lines.get("Latency min/avg/max").and_then(|text| {
        let mut all = text.split('/').map(str::parse);
        let mut next = || all.next()?.ok();
        Some([next()?, next()?, next()?])
    });
    Report {
        address: address.to_owned(),
        state: State::Serving,
        mode: Some(clean(mode)),
        epoch: Some((zxid >> 32) as u32),
        zxid: Some(format!("{zxid:#x}")),
        lag: None,
        clients: number("Connections"),
        znodes: number("Node count"),
        latency_ms: latency,
        outstanding: number("Outstanding"),
        version: lines.get("Zookeeper version").map(|v| clean(v)),
        synced_followers: None,
        sessions: None,
        problem: None,
    }
}

fn add_mntr(report: &mut Report, text: &str) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once('\t') else {
            continue;
        };
        let number = || value.trim().parse::<f64>().ok().map(|n| n.max(0.0) as u64);
        match key {
            "zk_synced_followers" => report.synced_followers = number(),
            "zk_global_sessions" => report.sessions = number(),
            _ => {}
        }
    }
}

/// Nothing from a server may move the cursor.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

fn zxid_of(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn add_lag(reports: &mut [Report]) {
    let zxid = |report: &Report| zxid_of(report.zxid.as_deref()?);
    let Some(furthest) = reports.iter().filter_map(zxid).max() else {
        return;
    };
    for report in reports {
        report.lag = zxid(report)
            .filter(|own| own >> 32 == furthest >> 32)
            .and_then(|own| u32::try_from(furthest - own).ok());
    }
}

/// A table, one line a server, with who leads.
pub fn table(reports: &[Report], names: Option<&[String]>) -> String {
    let mut rows = vec![
        [
            "",
            "server",
            "state",
            "epoch",
            "zxid",
            "lag",
            "clients",
            "znodes",
            "latency ms",
        ]
        .map(str::to_owned),
    ];
    let shown = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    for (index, r) in reports.iter().enumerate() {
        let name = names
            .and_then(|names| names.get(index))
            .unwrap_or(&r.address);
        let leads = matches!(r.mode.as_deref(), Some("leader" | "standalone"));
        rows.push([
            if leads { "*" } else { "" }.to_owned(),
            name.clone(),
            r.mode.clone().unwrap_or_else(|| r.state.name().to_owned()),
            shown(r.epoch.map(u64::from)),
            r.zxid.clone().unwrap_or_else(|| "-".to_owned()),
            shown(r.lag.map(u64::from)),
            shown(r.clients),
            shown(r.znodes),
            r.latency_ms.map_or_else(
                || "-".to_owned(),
                |[least, mean, most]| format!("{least}/{mean:.1}/{most}"),
            ),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..9).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        let problem = index
            .checked_sub(1)
            .and_then(|i| reports[i].problem.as_ref());
        if let Some(problem) = problem {
            text.push_str("  ");
            text.push_str(&clean(problem));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SRVR: &str = "Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC\n\
        Latency min/avg/max: 0/1.1569/6\nReceived: 63\nSent: 72\nConnections: 1\nOutstanding: 0\n\
        Zxid: 0x200000007\nMode: leader\nNode count: 15\n";

    #[test]
    fn what_apache_says_is_understood() {
        let mut report = read_srvr("a:1", SRVR);
        assert_eq!(report.state, State::Serving);
        assert_eq!(report.mode.as_deref(), Some("leader"));
        assert_eq!(
            (report.epoch, report.zxid.as_deref()),
            (Some(2), Some("0x200000007"))
        );
        assert_eq!((report.clients, report.znodes), (Some(1), Some(15)));
        assert_eq!(report.latency_ms, Some([0.0, 1.1569, 6.0]));
        add_mntr(
            &mut report,
            "zk_version\t3.8.0\nzk_synced_followers\t2.0\nzk_global_sessions\t7\n",
        );
        assert_eq!(
            (report.synced_followers, report.sessions),
            (Some(2), Some(7))
        );
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let state = |text| read_srvr("a:1", text).state;
        let without = "This ZooKeeper instance is not currently serving requests\n";
        assert_eq!(state(without), State::NotServing);
        let not = "srvr is not executed because it is not in the whitelist.\n";
        assert_eq!(state(not), State::NotAllowed);
        assert_eq!(state("HTTP/1.1 400 Bad Request\n"), State::Unreachable);
        assert_eq!(state(""), State::Unreachable);
        assert_eq!(state("Mode: leader\nZxid: 0xzz\n"), State::Unreachable);
    }

    #[test]
    fn the_lag_is_counted_within_one_epoch_only() {
        let at = |zxid: &str| read_srvr("a:1", &SRVR.replace("0x200000007", zxid));
        let mut all = vec![at("0x200000007"), at("0x200000004"), at("0x1000000ff")];
        all.push(failed("b:2", State::Unreachable, "x".into()));
        add_lag(&mut all);
        let lags: Vec<_> = all.iter().map(|r| r.lag).collect();
        assert_eq!(lags, [Some(0), Some(3), None, None]);
    }

    #[test]
    fn what_a_server_says_cannot_move_the_cursor() {
        let report = read_srvr("a:1", &SRVR.replace("leader", "lea\u{1b}[2Jder"));
        assert!(!table(&[report], None).contains('\u{1b}'));
    }
}

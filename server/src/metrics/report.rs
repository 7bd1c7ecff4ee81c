//! All metrics at one moment, and the forms in which they are given out.

use super::{
    FileDescriptors, Gauges, Metrics, gauges,
    summary::{Detail, Numbers},
};
use crate::{
    node::View,
    stats::{Roster, ServerStats},
};
use std::fmt::{self, Write as _};
use zabscope_core::message::ServerState;

/// A metric's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Whole.
    Int(i64),
    /// Not whole.
    Real(f64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(n) => write!(f, "{n}"),
            // As Java writes it: always with a point.
            Number::Real(x) => write!(f, "{x:?}"),
        }
    }
}

impl Number {
    fn real(self) -> f64 {
        match self {
            Number::Int(n) => n as f64,
            Number::Real(x) => x,
        }
    }
}

impl From<usize> for Number {
    fn from(n: usize) -> Number {
        Number::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Number {
        Number::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<u128> for Number {
    fn from(n: u128) -> Number {
        Number::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

/// What the node's thread has to say.
#[derive(Clone, Debug)]
pub struct PeerReport {
    /// `standalone`, `leader` …
    pub state: &'static str,
    /// `following - broadcast` …; `None` for a server on its own.
    pub detail: Option<String>,
    /// Whether it serves: ZooKeeper has these metrics only while it does.
    pub serving: bool,
    gauges: Gauges,
}

impl PeerReport {
    /// Asked on the node's thread.
    #[must_use]
    pub fn of(view: &View<'_>, metrics: &Metrics) -> PeerReport {
        let peer = view.peer;
        let detail = match peer.state() {
            ServerState::Looking => "looking",
            ServerState::Following => "following",
            ServerState::Leading => "leading",
            ServerState::Observing => "observing",
        };
        let phase = super::phase_name(peer.phase());
        let detail = match phase {
            "election" => detail.to_owned(),
            _ => format!("{detail} - {phase}"),
        };
        PeerReport {
            state: peer.mode().name(),
            detail: (!peer.config().standalone).then_some(detail),
            serving: peer.answers(),
            gauges: gauges::of_peer(view, metrics.leading_since()),
        }
    }
}

/// All metrics at one moment.
#[derive(Clone, Debug)]
pub struct Report {
    /// The peer's part.
    pub peer: PeerReport,
    gauges: Gauges,
    counters: Vec<(&'static str, u64)>,
    summaries: Vec<(&'static str, Detail, Numbers)>,
}

impl Report {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        peer: PeerReport,
        files: FileDescriptors,
        stats: &ServerStats,
        roster: &Roster,
        metrics: &Metrics,
    ) -> Report {
        let mut all = gauges::of_connections(stats, roster);
        all.extend(peer.gauges.iter().copied());
        all.extend(files.gauges());
        let drops = Number::Real(metrics.drop_probability());
        all.push(("connection_drop_probability", drops));
        Report {
            peer,
            gauges: all,
            counters: metrics.counters(),
            summaries: metrics.summaries(),
        }
    }

    /// Names and values as `mntr` and `monitor` show them, without `zk_`.
    #[must_use]
    pub fn flat(&self) -> Vec<(String, Number)> {
        let mut all: Vec<(String, Number)> = Vec::new();
        all.extend(self.gauges.iter().map(|(name, n)| ((*name).to_owned(), *n)));
        for (name, n) in &self.counters {
            all.push(((*name).to_owned(), (*n).into()));
        }
        for (name, detail, n) in &self.summaries {
            let mut push = |stem: &str, value| all.push((format!("{stem}_{name}"), value));
            push("avg", Number::Real(n.mean));
            push("min", n.min.into());
            push("max", n.max.into());
            push("cnt", n.count.into());
            push("sum", n.sum.into());
            if *detail == Detail::Advanced {
                for (stem, part) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)] {
                    push(stem, n.percentile(part).into());
                }
            }
        }
        all
    }

    /// Prometheus' text format 0.0.4. Names are those of Apache's provider: without a prefix.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str| {
            // A string takes everything.
            let _ = write!(out, "# HELP {name} {name}\n# TYPE {name} {kind}\n");
        };
        for (name, n) in &self.gauges {
            head(&mut out, name, "gauge");
            let _ = writeln!(out, "{name} {:?}", n.real());
        }
        for (name, n) in &self.counters {
            head(&mut out, name, "counter");
            let _ = writeln!(out, "{name} {:?}", *n as f64);
        }
        for (name, detail, n) in &self.summaries {
            head(&mut out, name, "summary");
            let parts: &[f64] = match detail {
                Detail::Basic => &[0.5],
                Detail::Advanced => &[0.5, 0.9, 0.99],
            };
            for part in parts {
                let value = match n.count {
                    0 => f64::NAN,
                    _ => n.percentile(*part) as f64,
                };
                let _ = writeln!(out, "{name}{{quantile=\"{part}\",}} {value:?}");
            }
            let _ = write!(
                out,
                "{name}_count {:?}\n{name}_sum {:?}\n",
                n.count as f64, n.sum as f64
            );
        }
        out
    }
}

use super::*;
use crate::{id::ServerId, rules::Rules, sim::run::Run};

fn wanted(off: &[Rule]) -> Wanted {
    Wanted {
        setup: Setup {
            voters: 3,
            rules: off.iter().fold(Rules::ALL, |r, rule| r.without(*rule)),
            ..Setup::default()
        },
        seed: 1,
        schedules: 4000,
        consequences: false,
    }
}

/// Runs a search to its end.
fn result(wanted: Wanted) -> (Progress, Option<Found>) {
    let mut search = Search::new(wanted).expect("a setup");
    loop {
        let progress = search.run(50_000);
        match progress.stage.clone() {
            Stage::Looking | Stage::Shortening { .. } => {}
            Stage::Found(found) => return (progress, Some(*found)),
            Stage::Nothing => return (progress, None),
        }
    }
}

#[test]
fn probe() {
    for rule in [Rule::NewestHistory, Rule::DurableAck, Rule::Truncate, Rule::AcceptedEpoch, Rule::Quorum] {
    for voters in [3u8, 5] {
        for seed in 1..4 {
                let mut w = wanted(&[rule]);
                w.setup.voters = voters;
                w.seed = seed;
                w.consequences = rule == Rule::DurableAck;
                w.schedules = 2000;
                let t = std::time::Instant::now();
                let (p, f) = result(w);
                eprintln!(
                    "{voters} {seed} {:15} {:?} after {} schedules {} steps, {:?} {:?}",
                    rule.name(),
                    f.as_ref().map(|f| (f.violation.property.clone(), f.run.actions.len(), f.run.steps)),
                    p.schedules, p.steps, t.elapsed(),
                    f.map(|f| f.violation.to_string()),
                );
        }
    }
    }
}

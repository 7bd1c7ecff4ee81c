//! Quorums: by majority, or by groups with weights (ZooKeeper.md 2.4, 2.5).

use crate::id::ServerId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How votes and ACKs are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QuorumRule {
    /// More than half of the voters.
    Majority,
    /// In more than half of the groups with weight, more than half of the group's weight.
    Groups {
        /// Group by voter. A voter that is missing here has weight but no group and never counts.
        group: BTreeMap<ServerId, u32>,
        /// Weight by voter; 1 if missing. Weight 0 never counts and can't be elected.
        weight: BTreeMap<ServerId, u64>,
    },
}

/// Who may vote, and which sets of them are a quorum.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quorum {
    voters: BTreeSet<ServerId>,
    rule: QuorumRule,
}

impl Quorum {
    /// A quorum system over `voters`.
    #[must_use]
    pub fn new(voters: BTreeSet<ServerId>, rule: QuorumRule) -> Quorum {
        Quorum { voters, rule }
    }

    /// The voters, in order of id.
    #[must_use]
    pub fn voters(&self) -> &BTreeSet<ServerId> {
        &self.voters
    }

    /// Majority or groups.
    #[must_use]
    pub fn rule(&self) -> &QuorumRule {
        &self.rule
    }

    /// Whether `id` votes.
    #[must_use]
    pub fn is_voter(&self, id: ServerId) -> bool {
        self.voters.contains(&id)
    }

    /// A voter's weight; 0 for a server that does not vote.
    #[must_use]
    pub fn weight(&self, id: ServerId) -> u64 {
        if !self.is_voter(id) {
            return 0;
        }
        match &self.rule {
            QuorumRule::Majority => 1,
            QuorumRule::Groups { weight, .. } => weight.get(&id).copied().unwrap_or(1),
        }
    }

    /// Whether `set` is a quorum. Members that are not voters do not count.
    #[must_use]
    pub fn contains(&self, set: &BTreeSet<ServerId>) -> bool {
        self.contains_where(|id| set.contains(&id))
    }

    /// Whether the voters for which `has` holds are a quorum.
    #[must_use]
    pub fn contains_where(&self, has: impl Fn(ServerId) -> bool) -> bool {
        match &self.rule {
            QuorumRule::Majority => {
                self.voters.iter().filter(|id| has(**id)).count() * 2 > self.voters.len()
            }
            QuorumRule::Groups { group, .. } => {
                let mut by_group: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
                for id in &self.voters {
                    if let Some(g) = group.get(id) {
                        let w = self.weight(*id);
                        let (all, with) = by_group.entry(*g).or_default();
                        *all += w;
                        *with += if has(*id) { w } else { 0 };
                    }
                }
                let weighty = by_group.values().filter(|(all, _)| *all > 0);
                let won = weighty
                    .clone()
                    .filter(|(all, with)| with * 2 > *all)
                    .count();
                won * 2 > weighty.count()
            }
        }
    }

    /// The smallest number of voters that can be a quorum; what a tally draws its notch at.
    #[must_use]
    pub fn smallest(&self) -> usize {
        match &self.rule {
            QuorumRule::Majority => self.voters.len() / 2 + 1,
            QuorumRule::Groups { group, .. } => {
                // In each group take the heaviest members until the group is won; then the
                // cheapest groups.
                let mut members: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
                for id in &self.voters {
                    if let Some(g) = group.get(id) {
                        members.entry(*g).or_default().push(self.weight(*id));
                    }
                }
                let mut cost: Vec<usize> = members
                    .into_values()
                    .filter_map(|mut weights| {
                        let all: u64 = weights.iter().sum();
                        weights.sort_unstable_by(|a, b| b.cmp(a));
                        let mut with = 0;
                        (all > 0).then(|| {
                            weights
                                .iter()
                                .take_while(|w| {
                                    let open = with * 2 <= all;
                                    with += **w;
                                    open
                                })
                                .count()
                        })
                    })
                    .collect();
                cost.sort_unstable();
                let groups = cost.len();
                cost.into_iter().take(groups / 2 + 1).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[i64]) -> BTreeSet<ServerId> {
        list.iter().copied().map(ServerId).collect()
    }

    #[test]
    fn half_is_not_a_majority() {
        let four = Quorum::new(ids(&[1, 2, 3, 4]), QuorumRule::Majority);
        assert!(!four.contains(&ids(&[1, 2])));
        assert!(four.contains(&ids(&[1, 2, 4])));
        assert_eq!(four.smallest(), 3);
    }

    #[test]
    fn who_does_not_vote_does_not_count() {
        let three = Quorum::new(ids(&[1, 2, 3]), QuorumRule::Majority);
        assert!(!three.contains(&ids(&[1, 7, 8, 9])));
    }

    #[test]
    fn groups_need_a_majority_of_weight_in_a_majority_of_groups() {
        let group = (1..=9)
            .map(|n| (ServerId(n), ((n - 1) / 3) as u32))
            .collect();
        let nine = Quorum::new(
            (1..=9).map(ServerId).collect(),
            QuorumRule::Groups {
                group,
                weight: BTreeMap::new(),
            },
        );
        assert!(
            nine.contains(&ids(&[1, 2, 4, 5])),
            "two of three in two of three groups"
        );
        assert!(
            !nine.contains(&ids(&[1, 2, 3, 4, 7])),
            "only one group is won"
        );
        assert_eq!(nine.smallest(), 4);
    }

    #[test]
    fn a_group_without_weight_is_not_counted_among_the_groups() {
        let group = BTreeMap::from([(ServerId(1), 1), (ServerId(2), 2), (ServerId(3), 3)]);
        let weight = BTreeMap::from([(ServerId(3), 0)]);
        let q = Quorum::new(ids(&[1, 2, 3]), QuorumRule::Groups { group, weight });
        assert!(q.contains(&ids(&[1, 2])));
        assert!(!q.contains(&ids(&[1, 3])));
        assert_eq!(q.weight(ServerId(3)), 0);
    }
}

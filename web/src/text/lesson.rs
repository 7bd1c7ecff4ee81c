//! Words of lessons that are computed: choices, and what would have had to be true.

use super::{
    Lang, NoContext, Sentence,
    say::{
        Arg::{E, Id, Server, T, Z},
        Pen,
    },
};
use zabscope_core::id::ServerId;
use zabscope_lessons::{Ballot, Choice, Instead, Section, Value};

impl From<Lang> for zabscope_lessons::Lang {
    fn from(lang: Lang) -> zabscope_lessons::Lang {
        match lang {
            Lang::En => zabscope_lessons::Lang::En,
            Lang::Zh => zabscope_lessons::Lang::Zh,
        }
    }
}

/// The label of a choice: `Server 3`, `1·09`, or the title of a case, from the step's text.
#[must_use]
pub fn choice(choice: &Choice, section: Option<&Section>, lang: Lang) -> String {
    match choice {
        Choice::Value(Value::Server(id)) => {
            let mut p = Pen::new(lang, &NoContext);
            p.say("{0}", "{0}", &[Server(*id)]);
            p.finish().text
        }
        Choice::Value(
            value @ (Value::Zxid(_) | Value::Epoch(_) | Value::Number(_) | Value::Text(_)),
        ) => value.to_string(),
        Choice::Case(id) => section
            .and_then(|s| s.choice(id))
            .map_or_else(|| id.clone(), |part| part.title.to_owned()),
    }
}

/// What would have had to be true for a wrong prediction to be right. `None`: the text of the
/// choice says it.
#[must_use]
pub fn instead(instead: &Instead, lang: Lang) -> Option<Sentence> {
    let Instead::Ballots {
        chosen,
        won,
        without,
    } = instead
    else {
        return None;
    };
    let mut p = Pen::new(lang, &NoContext);
    ballots(&mut p, *chosen, *won);
    if !without.is_empty() {
        let names = p.phrase(|p| list(p, without));
        p.say(
            " Without {0} it wins: that was tried out.",
            "没有{0}，胜出的就是它：已经试过。",
            &[T(&names)],
        );
    }
    Some(p.finish())
}

fn ballots(p: &mut Pen<'_>, chosen: Ballot, won: Ballot) {
    let (a, b) = (Server(chosen.server), Server(won.server));
    if chosen > won {
        p.say(
            "{0} had the better vote of the two, and yet it was not elected.",
            "两者中{0} 的选票更好，但当选的不是它。",
            &[a],
        );
    } else if chosen.epoch != won.epoch {
        p.say(
            "{0} would have needed a newer epoch: it comes from epoch {2}, {1} from epoch {3}. The epoch is compared first.",
            "{0} 需要更新的纪元：它来自纪元 {2}，{1} 来自纪元 {3}。首先比较的是纪元。",
            &[a, b, E(chosen.epoch), E(won.epoch)],
        );
    } else if chosen.zxid != won.zxid {
        p.say(
            "{0} would have had to have seen more: same epoch, but its last zxid is {2}, that of {1} is {3}.",
            "{0} 需要见过更多：纪元相同，但它最后的 zxid 是 {2}，{1} 的是 {3}。",
            &[a, b, Z(chosen.zxid), Z(won.zxid)],
        );
    } else {
        p.say(
            "{0} would have needed a higher id: epoch {1} and last zxid {2} are equal, and {4} is above {3}.",
            "{0} 需要更大的编号：纪元 {1} 和最后的 zxid {2} 都相同，而 {4} 大于 {3}。",
            &[
                a,
                E(chosen.epoch),
                Z(chosen.zxid),
                Id(chosen.server),
                Id(won.server),
            ],
        );
    }
}

/// `server 4`, `server 3 and server 4`.
fn list(p: &mut Pen<'_>, ids: &[ServerId]) {
    for (i, id) in ids.iter().enumerate() {
        if i > 0 {
            let last = i + 1 == ids.len();
            p.say(if last { " and " } else { ", " }, "、", &[]);
        }
        p.say("{0}", "{0}", &[Server(*id)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zabscope_core::id::{Epoch, Zxid};
    use zabscope_lessons::{Advanced, Player, load};

    fn ballot(epoch: i64, counter: u32, server: i64) -> Ballot {
        Ballot {
            epoch: Epoch(epoch),
            zxid: Zxid::new(Epoch(1), counter),
            server: ServerId(server),
        }
    }

    fn text(chosen: Ballot, won: Ballot, without: &[i64], lang: Lang) -> String {
        let instead_ = Instead::Ballots {
            chosen,
            won,
            without: without.iter().copied().map(ServerId).collect(),
        };
        instead(&instead_, lang).expect("a sentence").text
    }

    #[test]
    fn a_wrong_candidate_is_told_the_first_field_that_it_lacks() {
        let en = |a, b, w: &[i64]| text(a, b, w, Lang::En);
        assert_eq!(
            en(ballot(1, 6, 1), ballot(2, 5, 4), &[]),
            "Server 1 would have needed a newer epoch: it comes from epoch 1, server 4 from epoch 2. The epoch is compared first."
        );
        assert_eq!(
            en(ballot(1, 5, 4), ballot(1, 7, 3), &[3]),
            "Server 4 would have had to have seen more: same epoch, but its last zxid is 1·05, that of server 3 is 1·07. Without server 3 it wins: that was tried out."
        );
        assert_eq!(
            en(ballot(1, 5, 2), ballot(1, 5, 4), &[3, 4]),
            "Server 2 would have needed a higher id: epoch 1 and last zxid 1·05 are equal, and 4 is above 2. Without server 3 and server 4 it wins: that was tried out."
        );
        assert_eq!(
            text(ballot(1, 5, 2), ballot(1, 5, 4), &[3, 4], Lang::Zh),
            "服务器 2 需要更大的编号：纪元 1 和最后的 zxid 1·05 都相同，而 4 大于 2。没有服务器 3、服务器 4，胜出的就是它：已经试过。"
        );
    }

    #[test]
    fn every_choice_of_the_lessons_has_a_label_and_every_wrong_one_a_reason() {
        for entry in zabscope_lessons::catalogue() {
            let lesson = load(entry.name).expect("there").expect("readable");
            let (mut player, mut history) = Player::start(lesson).expect("it starts");
            loop {
                let n = player.question().map_or(0, |q| q.choices.len());
                for i in 0..n {
                    let (mut other, mut fork) = (player.clone(), history.clone());
                    other.answer(i, &fork).expect("answered");
                    while other.advance(&mut fork).expect("played") == Advanced::Moved {}
                    for lang in Lang::ALL {
                        let section = player.lesson().section(player.step(), lang.into());
                        let question = other.question().expect("a question");
                        let label = choice(&question.choices[i], section, lang);
                        assert!(!label.is_empty());
                        let answer = other.answered().expect("an answer");
                        let Some(why) = &answer.instead else {
                            assert!(answer.is_right());
                            continue;
                        };
                        let told = match &question.choices[i] {
                            Choice::Value(_) => instead(why, lang).is_some(),
                            Choice::Case(id) => section
                                .and_then(|s| s.choice(id))
                                .is_some_and(|part| !part.body.is_empty()),
                        };
                        assert!(told, "{}: {label}", other.link());
                    }
                }
                player.play_out(&mut history).expect("played");
                if !player.next(&mut history).expect("on") {
                    break;
                }
            }
        }
    }
}

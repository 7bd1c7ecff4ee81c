//! Tries a lesson with many seeds and says with which ones it holds: `seeds 10-electing-a-leader 200`.
use std::{collections::BTreeMap, sync::Arc};
use zabscope_lessons::{Lang, Lesson, check, load};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(n)) = (args.next(), args.next().and_then(|n| n.parse::<u64>().ok()))
    else {
        println!("usage: seeds NAME HOW_MANY");
        return;
    };
    let Some(Ok(lesson)) = load(&name) else {
        println!("no such lesson");
        return;
    };
    let mut why: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 1..=n {
        let mut lesson = Lesson::clone(&lesson);
        lesson.data.setup.seed = seed;
        match check(&Arc::new(lesson)) {
            Ok(report) => println!("seed {seed}: holds, {:?}", report.steps),
            Err(e) => *why.entry(e.to_string()).or_default() += 1,
        }
    }
    println!("{} · {why:#?}", lesson.text(Lang::En).title);
}

//! A run as a link: seed, setup, actions and the cursor in the URL's fragment. And as a file, and as what
//! this browser keeps: these hold all branches.
//!
//! `#s=1.` and the JSON of `Shared`, deflated, in base64url. What stands there may come from anybody:
//! every length is bounded before anything is made of it, and everything is checked by
//! [`History::import`](zabscope_core::sim::History::import) before it is shown.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zabscope_core::sim::{Action, BranchNo, Exported, ExportedBranch, Setup, TimedAction};
use zabscope_lessons::from_json;

/// The format of links that this build writes, and the only one that it reads.
const VERSION: &str = "1";
/// A longer fragment is not looked at, in characters.
pub const MAX_FRAGMENT: usize = 64 * 1024;
/// What inflates to more is not read, in bytes.
pub const MAX_JSON: usize = 1024 * 1024;
/// A link that would be longer with its bookmarks goes without them, in characters.
pub const MAX_MARKED: usize = 2048;
/// A link repeats at most so many steps: opening it must not take long.
pub const MAX_STEPS: u64 = 50_000;
/// A file that is longer is not read, in bytes.
pub const MAX_FILE: usize = 8 * 1024 * 1024;

/// What a fragment asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The state, still encoded.
    pub state: Option<String>,
    /// The run that this browser keeps: it is too long for a link.
    pub kept: bool,
    /// The world stands still at first.
    pub paused: bool,
    /// A lesson, and perhaps a step of it, as its player writes them.
    pub lesson: Option<String>,
    /// Only the stage, the sentence and the controls are shown.
    pub embed: bool,
    /// `light` or `dark`, for this visit.
    pub theme: Option<String>,
    /// A world of the gallery.
    pub world: Option<String>,
    /// A language's tag.
    pub lang: Option<String>,
}

impl Fragment {
    /// Whether it names something to open.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.state.is_some() || self.kept || self.lesson.is_some() || self.world.is_some()
    }
}

/// Why a link can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is longer than any link of ours.
    #[error("it has {0} characters; a link has at most {max}", max = MAX_FRAGMENT)]
    TooLong(usize),
    /// Another version wrote it.
    #[error("it has format {0}; this page reads format {VERSION}")]
    Version(String),
    /// It is not base64url, or not deflated: it was cut or changed on its way.
    #[error("it was cut or changed on its way")]
    Damaged,
    /// It inflates to more than any run needs.
    #[error("it holds more than {max} bytes", max = MAX_JSON)]
    TooLarge,
    /// What is inside is no run.
    #[error("what it holds is not a run: {0}")]
    NoRun(String),
    /// It would take too long to repeat.
    #[error("it has {0} steps; a link has at most {max}", max = MAX_STEPS)]
    TooManySteps(u64),
    /// The file is too large.
    #[error("the file has {0} bytes; at most {max} are read", max = MAX_FILE)]
    FileTooLarge(usize),
}

impl LinkError {
    /// What was read holds no run. What stands there may be long, and is repeated in part only.
    #[must_use]
    pub fn no_run(error: impl core::fmt::Display) -> LinkError {
        LinkError::NoRun(error.to_string().chars().take(200).collect())
    }
}

/// What a link holds. Short names: every character counts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    /// What differs from the default setup.
    #[serde(default)]
    w: Value,
    /// Actions, each with the number of steps since the one before.
    #[serde(default)]
    a: Vec<(u64, Action)>,
    /// The cursor.
    s: u64,
    /// The trace hash there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<String>,
    /// Bookmarks on the way: steps, actions and names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    k: Vec<(u64, u64, String)>,
}

/// Takes a fragment apart; with or without `#`.
#[must_use]
pub fn fragment(text: &str) -> Fragment {
    let mut out = Fragment::default();
    for part in text.trim_start_matches('#').split('&') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key {
            "s" => out.state = Some(value.to_owned()),
            "kept" => out.kept = true,
            "paused" => out.paused = true,
            "lesson" => out.lesson = Some(value.to_owned()),
            "embed" => out.embed = true,
            "theme" => out.theme = Some(value.to_owned()),
            "world" => out.world = Some(value.to_owned()),
            "lang" => out.lang = Some(value.to_owned()),
            _ => {}
        }
    }
    // Anything else that stands there is taken for a state, so that it is told why it is not read; but for a
    // key of somebody else's with its value.
    let known = out.state.is_some()
        || out.kept
        || out.paused
        || out.lesson.is_some()
        || out.embed
        || out.theme.is_some()
        || out.world.is_some()
        || out.lang.is_some();
    if !known && text.len() > 1 && !text.contains('=') {
        out.state = Some(text.trim_start_matches('#').to_owned());
    }
    out
}

/// The shown branch up to the cursor, as it stands behind `s=`; with its bookmarks where that is short
/// enough.
#[must_use]
pub fn encode(run: &Exported) -> String {
    let mut last = 0;
    let marks = run.bookmarks.iter();
    let mut shared = Shared {
        w: difference(&run.setup),
        a: run
            .actions
            .iter()
            .map(|a| {
                let steps = a.step.saturating_sub(last);
                last = a.step;
                (steps, a.action.clone())
            })
            .collect(),
        s: run.steps,
        t: run.trace.clone(),
        k: marks
            .filter(|((branch, step, _), _)| *branch == run.shown && *step <= run.steps)
            .map(|((_, step, done), name)| (*step, *done, name.clone()))
            .collect(),
    };
    let text = packed(&shared);
    if shared.k.is_empty() || text.len() <= MAX_MARKED {
        return text;
    }
    shared.k.clear();
    packed(&shared)
}

fn packed(shared: &Shared) -> String {
    // Our own types, which always can be written.
    let json = serde_json::to_string(shared).unwrap_or_default();
    let packed = miniz_oxide::deflate::compress_to_vec(json.as_bytes(), 9);
    format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(packed))
}

/// Reads what stands behind `s=`.
///
/// # Errors
/// It is damaged, of another version, or more than a link may hold. Whether the run is possible is
/// found out by whoever imports it.
pub fn decode(text: &str) -> Result<Exported, LinkError> {
    if text.len() > MAX_FRAGMENT {
        return Err(LinkError::TooLong(text.len()));
    }
    let (version, packed) = text.split_once('.').ok_or(LinkError::Damaged)?;
    if version != VERSION {
        let known = version.len() <= 8 && version.chars().all(|c| c.is_ascii_alphanumeric());
        return Err(if known {
            LinkError::Version(version.to_owned())
        } else {
            LinkError::Damaged
        });
    }
    let packed = URL_SAFE_NO_PAD
        .decode(packed)
        .map_err(|_| LinkError::Damaged)?;
    let json =
        miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, MAX_JSON).map_err(|error| {
            match error.status {
                miniz_oxide::inflate::TINFLStatus::HasMoreOutput => LinkError::TooLarge,
                _ => LinkError::Damaged,
            }
        })?;
    let json = core::str::from_utf8(&json).map_err(LinkError::no_run)?;
    let shared: Shared = from_json(json).map_err(LinkError::no_run)?;
    if shared.s > MAX_STEPS {
        return Err(LinkError::TooManySteps(shared.s));
    }
    let setup = match shared.w {
        Value::Null => Setup::default(),
        // By way of text: another kind of deserializer would be another copy of all that code.
        object @ Value::Object(_) => from_json(&object.to_string()).map_err(LinkError::no_run)?,
        _ => return Err(LinkError::NoRun("its world is no object".to_owned())),
    };
    let mut at = 0_u64;
    let actions = shared
        .a
        .into_iter()
        .map(|(steps, action)| {
            at = at.saturating_add(steps);
            TimedAction { step: at, action }
        })
        .collect();
    let marks = shared.k.into_iter();
    Ok(Exported {
        trace: shared.t,
        bookmarks: marks
            .map(|(step, done, name)| ((BranchNo(0), step, done), name))
            .collect(),
        ..Exported::of(setup, actions, shared.s, None)
    })
}

/// A file's text, and what this browser keeps: the run as the simulator writes it, with names in full.
#[must_use]
pub fn to_file(run: &Exported) -> String {
    run.to_json()
}

/// Reads a file.
///
/// # Errors
/// It is too large, or no run.
pub fn from_file(text: &str) -> Result<Exported, LinkError> {
    if text.len() > MAX_FILE {
        return Err(LinkError::FileTooLarge(text.len()));
    }
    from_json(text).map_err(LinkError::no_run)
}

/// Reads what this browser keeps: a file's text, or a link's, which is what it was once.
///
/// # Errors
/// As [`decode`] and [`from_file`].
pub fn from_kept(text: &str) -> Result<Exported, LinkError> {
    match text.starts_with('{') {
        true => from_file(text),
        false => decode(text),
    }
}

/// What this browser keeps, if it is the run of a link, at the same moment: then a link that was read
/// again, as the page is when it is reloaded, is no reason to lose what it has no room for.
fn whole(linked: &Exported, kept: &str) -> Option<Exported> {
    let moment = |run: &Exported| {
        let Exported {
            setup,
            actions,
            steps,
            trace,
            ..
        } = run.clone();
        (setup, actions, steps, trace)
    };
    let kept = from_kept(kept).ok()?;
    (moment(&kept) == moment(linked)).then_some(kept)
}

/// The runs that an address asks for, the one to be tried first before the other: what this browser keeps,
/// if that is the link's run, and the link's own, should another version have kept what it can't repeat.
/// `None`: it asks for none.
#[must_use]
pub fn wanted(fragment: &Fragment, kept: Option<&str>) -> Option<Result<Vec<Exported>, LinkError>> {
    let Some(text) = &fragment.state else {
        let kept = kept.filter(|_| fragment.kept)?;
        return Some(from_kept(kept).map(|run| vec![run]));
    };
    Some(decode(text).map(|linked| {
        let whole = kept.and_then(|kept| whole(&linked, kept));
        whole.into_iter().chain([linked]).collect()
    }))
}

/// Whether somebody has done something in it.
#[must_use]
pub fn is_work(run: &Exported) -> bool {
    let done = |b: &ExportedBranch| !b.actions.is_empty() || b.name != "main";
    !run.actions.is_empty() || !run.bookmarks.is_empty() || run.branches.iter().any(done)
}

/// The fields in which a setup differs from the default one.
fn difference(setup: &Setup) -> Value {
    let value = |setup: &Setup| serde_json::from_str(&serde_json::to_string(setup).ok()?).ok();
    let (Some(Value::Object(mine)), Some(Value::Object(usual))) =
        (value(setup), value(&Setup::default()))
    else {
        return Value::Null;
    };
    Value::Object(
        mine.into_iter()
            .filter(|(name, value)| usual.get(name) != Some(value))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use zabscope_core::{
        id::ServerId,
        rules::{Rule, Rules},
        sim::Schedule,
        time::Span,
    };

    fn run() -> Exported {
        let setup = Setup {
            seed: u64::MAX,
            voters: 3,
            latency: Span::millis(20),
            ..Setup::default()
        };
        Exported::of(
            setup,
            vec![
                TimedAction {
                    step: 40,
                    action: Action::Crash {
                        server: ServerId(3),
                        lose_unsynced: true,
                    },
                },
                TimedAction {
                    step: 40,
                    action: Action::HealAll,
                },
                TimedAction {
                    step: 51,
                    action: Action::Restart {
                        server: ServerId(3),
                    },
                },
            ],
            77,
            Some(0x0123_4567_89ab_cdef),
        )
    }

    #[test]
    fn a_link_holds_the_whole_run() {
        let run = run();
        assert_eq!(decode(&encode(&run)), Ok(run));
    }

    #[test]
    fn a_link_says_which_rules_are_off_and_what_comes_by_itself_and_old_links_say_neither() {
        let mut broken = run();
        broken.setup.rules = Rules::ALL.without(Rule::Quorum);
        broken.setup.faults.repeat = vec!["crash=5000/2000".parse().expect("a fault")];
        broken.actions.push(TimedAction {
            step: 60,
            action: Action::SetFaults {
                schedule: Schedule {
                    random: Some("crash,pause=1500/7".parse().expect("faults")),
                    ..Schedule::default()
                },
            },
        });
        let rules = Rules::ALL;
        broken.actions.push(TimedAction {
            step: 70,
            action: Action::SetRules { rules },
        });
        assert_eq!(decode(&encode(&broken)), Ok(broken.clone()));
        assert_eq!(from_file(&to_file(&broken)), Ok(broken));
        let old = decode(&packed(br#"{"s":3,"w":{"seed":7}}"#)).expect("an old link");
        assert!(old.setup.rules.all_hold() && old.setup.faults.is_empty());
        let json = to_file(&run());
        assert!(
            !json.contains("rules") && !json.contains("faults"),
            "{json}"
        );
    }

    #[test]
    fn a_file_holds_the_whole_run() {
        let run = run();
        assert_eq!(from_file(&to_file(&run)), Ok(run));
    }

    #[test]
    fn a_link_of_200_actions_is_short_enough_for_every_browser() {
        let mut run = run();
        run.actions = (0..200_u64)
            .map(|n| TimedAction {
                step: n * 17 + n * n % 13,
                action: match n % 5 {
                    0 => Action::Crash {
                        server: ServerId((n % 5) as i64 + 1),
                        lose_unsynced: n % 2 == 0,
                    },
                    1 => Action::Restart {
                        server: ServerId((n / 5 % 5) as i64 + 1),
                    },
                    2 => Action::CutLink {
                        a: ServerId((n % 3) as i64 + 1),
                        b: ServerId(5),
                    },
                    3 => Action::HealAll,
                    _ => Action::Pause {
                        server: ServerId((n % 4) as i64 + 1),
                    },
                },
            })
            .collect();
        run.steps = 5000;
        let length = encode(&run).len();
        assert!(length <= 2000, "{length} characters");
        assert_eq!(decode(&encode(&run)), Ok(run));
    }

    #[test]
    fn what_is_no_link_is_refused_with_a_reason() {
        assert_eq!(decode(""), Err(LinkError::Damaged));
        assert_eq!(decode("hello"), Err(LinkError::Damaged));
        assert_eq!(decode("1."), Err(LinkError::Damaged));
        assert_eq!(decode("1.%%%"), Err(LinkError::Damaged));
        assert_eq!(decode("9.AAAA"), Err(LinkError::Version("9".to_owned())));
        let whole = encode(&run());
        for end in 0..whole.len() - 1 {
            assert!(decode(&whole[..end]).is_err(), "cut at {end}");
        }
        let long = "1.".to_owned() + &"A".repeat(MAX_FRAGMENT);
        assert_eq!(decode(&long), Err(LinkError::TooLong(MAX_FRAGMENT + 2)));
    }

    fn packed(json: &[u8]) -> String {
        format!(
            "1.{}",
            URL_SAFE_NO_PAD.encode(miniz_oxide::deflate::compress_to_vec(json, 9))
        )
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = packed(&vec![b' '; 40 * MAX_JSON]);
        assert!(bomb.len() < MAX_FRAGMENT);
        assert_eq!(decode(&bomb), Err(LinkError::TooLarge));
    }

    #[test]
    fn a_link_with_bad_values_is_refused() {
        for json in [
            &br#"{"s":"many"}"#[..],
            br#"{"s":1,"x":2}"#,
            br#"{"s":-1}"#,
            br#"{"s":1,"w":{"seed":-1}}"#,
            br#"{"s":1,"w":[1]}"#,
            br#"{"s":1,"a":[[0,{"Explode":{}}]]}"#,
            b"[[[[[[[[[[[[[[[",
            b"\xff\xfe",
        ] {
            assert!(
                matches!(decode(&packed(json)), Err(LinkError::NoRun(_))),
                "{}",
                String::from_utf8_lossy(json)
            );
        }
        assert_eq!(
            decode(&packed(br#"{"s":99999999999}"#)),
            Err(LinkError::TooManySteps(99_999_999_999))
        );
        let deep = "[".repeat(100_000);
        assert!(matches!(
            decode(&packed(deep.as_bytes())),
            Err(LinkError::NoRun(_))
        ));
    }

    #[test]
    fn bookmarks_go_along_where_the_link_stays_short() {
        let mut marked = run();
        marked.bookmarks = vec![
            ((BranchNo(0), 40, 1), "calm".to_owned()),
            ((BranchNo(0), 77, 3), String::new()),
        ];
        assert_eq!(decode(&encode(&marked)), Ok(marked.clone()));
        // What stands elsewhere is nothing to this link.
        let mut more = marked.clone();
        more.bookmarks
            .push(((BranchNo(1), 3, 0), "elsewhere".to_owned()));
        more.bookmarks
            .push(((BranchNo(0), 78, 3), "later".to_owned()));
        assert_eq!(decode(&encode(&more)), Ok(marked.clone()));
        // Nothing that deflates well.
        let mut odd = 7_u64;
        marked.bookmarks = (0..64)
            .map(|step| {
                odd = odd.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(21) | 1;
                (
                    (BranchNo(0), step, 0),
                    format!("{odd:016x}{:016x}", odd.reverse_bits()),
                )
            })
            .collect();
        let text = encode(&marked);
        assert!(text.len() <= MAX_MARKED, "{}", text.len());
        marked.bookmarks.clear();
        assert_eq!(decode(&text), Ok(marked));
    }

    #[test]
    fn what_was_kept_as_a_link_is_read_and_so_is_what_is_kept_as_a_file() {
        let run = run();
        assert_eq!(from_kept(&encode(&run)), Ok(run.clone()));
        assert_eq!(from_kept(&to_file(&run)), Ok(run.clone()));
        assert!(from_kept("{").is_err() && from_kept("").is_err());
        assert!(is_work(&run));
        let idle = Exported::of(Setup::default(), Vec::new(), 9, None);
        assert!(!is_work(&idle));
        let mut marked = idle.clone();
        marked.bookmarks.push(((BranchNo(0), 1, 0), String::new()));
        assert!(is_work(&marked));
    }

    #[test]
    fn a_file_of_one_endless_word_is_refused_in_few_words() {
        let long = "A".repeat(100_000);
        for text in [
            format!("{{\"version\":\"{long}\"}}"),
            format!("{{\"{long}\":1}}"),
        ] {
            let Err(LinkError::NoRun(why)) = from_file(&text) else {
                panic!("it is no run");
            };
            assert!(!why.is_empty() && why.chars().count() <= 200);
        }
    }

    #[test]
    fn a_fragment_is_taken_apart() {
        assert_eq!(fragment(""), Fragment::default());
        assert_eq!(fragment("#"), Fragment::default());
        let all = fragment("#s=1.abc&paused&lang=zh");
        assert_eq!(all.state.as_deref(), Some("1.abc"));
        assert!(all.paused);
        assert_eq!(all.lang.as_deref(), Some("zh"));
        assert!(fragment("#kept").kept && fragment("#kept").state.is_none());
        assert_eq!(fragment("#garbage").state.as_deref(), Some("garbage"));
        // Another page's key is not ours to read, and no damaged run.
        assert_eq!(fragment("#foo=bar&utm"), Fragment::default());
        assert_eq!(fragment("#foo=bar&s=1.abc").state.as_deref(), Some("1.abc"));
    }
}

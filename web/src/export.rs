//! A run in other shapes: a sequence diagram as text, and pictures that hold their run. Each can be
//! imported again: it carries the link's state (`zabscope:1.…`) in a comment, in the metadata of an SVG,
//! in a text chunk of a PNG.

use crate::{
    link,
    text::{self, Context, Importance, Lang, importance},
};
use std::{collections::BTreeSet, fmt::Write as _};
use zabscope_core::{
    id::ServerId,
    peer::event::EventKind,
    sim::{ClientNo, Exported, Fact, Record, WorldEventKind},
};

/// What stands before a state in a file that is not JSON.
const MARK: &str = "zabscope:";
/// A diagram tells at most so many facts, the newest: more of them nobody draws.
pub const MAX_LINES: usize = 600;
/// The keyword of the PNG's text chunk.
const KEYWORD: &[u8] = b"zabscope";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The state as other files carry it; nothing when the run is too long for a link.
#[must_use]
pub fn mark(run: &Exported) -> Option<String> {
    (run.steps <= link::MAX_STEPS).then(|| format!("{MARK}{}", link::encode(run)))
}

/// The state in a [`mark`].
#[must_use]
pub fn state(mark: &str) -> &str {
    mark.strip_prefix(MARK).unwrap_or(mark)
}

/// The state that a text carries.
fn marked(text: &str) -> Option<&str> {
    let from = text.find(MARK)? + MARK.len();
    let rest = &text[from..];
    let ours = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let end = rest.find(|c| !ours(c)).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// Reads a run from a file of ours, whatever its kind: JSON, a diagram, an SVG or a PNG.
///
/// # Errors
/// It is too large, or holds no run.
pub fn read(bytes: &[u8]) -> Result<Exported, link::LinkError> {
    if bytes.len() > link::MAX_FILE {
        return Err(link::LinkError::FileTooLarge(bytes.len()));
    }
    let nothing = || link::LinkError::NoRun("no run of zabscope is in this file".to_owned());
    if bytes.starts_with(PNG) {
        let text = chunk(bytes).and_then(|text| core::str::from_utf8(text).ok());
        return link::decode(text.ok_or_else(nothing)?);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| nothing())?;
    if text.trim_start().starts_with('{') {
        return link::from_file(text);
    }
    link::decode(marked(text).ok_or_else(nothing)?)
}

// ---- a sequence diagram ------------------------------------------------------------------------------

/// The run up to these records as a sequence diagram in mermaid's language: messages as they arrived
/// or were lost, and what matters as notes. The newest [`MAX_LINES`] of them.
#[must_use]
pub fn mermaid(records: &[&Record], mark: Option<&str>, lang: Lang, ctx: &dyn Context) -> String {
    let mut servers = BTreeSet::new();
    let mut clients = BTreeSet::new();
    let mut body: Vec<String> = Vec::new();
    for record in records.iter().rev() {
        if body.len() >= MAX_LINES {
            break;
        }
        if let Some(line) = told(&record.source, lang, ctx, &mut servers, &mut clients) {
            body.push(line);
        }
    }
    let mut out = String::from("sequenceDiagram\n");
    if let Some(mark) = mark {
        let _ = writeln!(out, "    %% {mark}");
    }
    for client in &clients {
        let name = plain(&text::client(*client, lang));
        let _ = writeln!(out, "    participant C{} as {name}", client.0);
    }
    for server in &servers {
        let name = plain(&text::server(*server, lang));
        let _ = writeln!(out, "    participant S{} as {name}", server.0);
    }
    for line in body.iter().rev() {
        let _ = writeln!(out, "    {line}");
    }
    out
}

/// One line, with those whom it names.
fn told(
    fact: &Fact,
    lang: Lang,
    ctx: &dyn Context,
    servers: &mut BTreeSet<ServerId>,
    clients: &mut BTreeSet<ClientNo>,
) -> Option<String> {
    let mut between = |from: ServerId, to: ServerId| {
        servers.insert(from);
        servers.insert(to);
    };
    match fact {
        Fact::Peer(event) => {
            let me = event.id.server;
            if let EventKind::Received {
                from,
                message,
                zxid,
            } = &event.kind
            {
                if importance(fact) == Importance::Heartbeat {
                    return None;
                }
                between(*from, me);
                let what = what(&format!("{message:?}"), *zxid);
                return Some(format!("S{}->>S{}: {what}", from.0, me.0));
            }
        }
        Fact::World(event) => match &event.kind {
            WorldEventKind::MessageLost {
                from,
                to,
                message,
                zxid,
                ..
            } => {
                between(*from, *to);
                let what = what(&format!("{message:?}"), *zxid);
                return Some(format!("S{}--xS{}: {what}", from.0, to.0));
            }
            WorldEventKind::RequestSent { client, server, .. } => {
                clients.insert(*client);
                servers.insert(*server);
                let what = plain(&text::short(fact, lang, ctx).text);
                return Some(format!("C{}->>S{}: {what}", client.0, server.0));
            }
            WorldEventKind::ReplyReceived { client, server, .. }
            | WorldEventKind::WatchReceived { client, server, .. } => {
                clients.insert(*client);
                servers.insert(*server);
                let what = plain(&text::short(fact, lang, ctx).text);
                return Some(format!("S{}-->>C{}: {what}", server.0, client.0));
            }
            _ => {}
        },
    }
    if importance(fact) < Importance::Headline {
        return None;
    }
    let said = plain(&text::short(fact, lang, ctx).text);
    match fact {
        Fact::Peer(event) => {
            servers.insert(event.id.server);
            Some(format!("Note over S{}: {said}", event.id.server.0))
        }
        Fact::World(_) => {
            let (first, last) = (servers.first()?, servers.last()?);
            Some(format!("Note over S{},S{}: {said}", first.0, last.0))
        }
    }
}

fn what(message: &str, zxid: Option<zabscope_core::id::Zxid>) -> String {
    let zxid = zxid.map(text::zxid).unwrap_or_default();
    format!("{} {zxid}", message.to_uppercase())
        .trim_end()
        .to_owned()
}

/// Without what means something in a diagram: line ends, `;` and `#`.
fn plain(text: &str) -> String {
    text.replace(['\n', '\r', ';', '#'], " ")
}

// ---- pictures ----------------------------------------------------------------------------------------

/// A PNG with the state in a text chunk before its end. What is no PNG comes back as it is.
#[must_use]
pub fn png_with(mut png: Vec<u8>, state: &str) -> Vec<u8> {
    // The last chunk is IEND: 12 bytes.
    let Some(at) = png.len().checked_sub(12) else {
        return png;
    };
    if !png.starts_with(PNG) || png.get(at + 4..at + 8) != Some(b"IEND") {
        return png;
    }
    let mut body = b"tEXt".to_vec();
    body.extend_from_slice(KEYWORD);
    body.push(0);
    body.extend_from_slice(state.as_bytes());
    let mut text = ((body.len() - 4) as u32).to_be_bytes().to_vec();
    let sum = crc32(&body);
    text.append(&mut body);
    text.extend_from_slice(&sum.to_be_bytes());
    png.splice(at..at, text);
    png
}

/// The state in a PNG's text chunk.
fn chunk(png: &[u8]) -> Option<&[u8]> {
    let mut rest = png.strip_prefix(PNG)?;
    loop {
        let (head, after) = rest.split_at_checked(8)?;
        let length = u32::from_be_bytes(head.get(..4)?.try_into().ok()?) as usize;
        let data = after.get(..length)?;
        if &head[4..] == b"tEXt"
            && let Some(text) = data.strip_prefix(KEYWORD)
        {
            return text.strip_prefix(&[0]);
        }
        rest = after.get(length.checked_add(4)?..)?;
    }
}

/// As PNG wants it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::NoContext;
    use zabscope_core::sim::{Action, History, Setup};

    fn run() -> History {
        let mut history = History::new(&Setup::default()).expect("a world");
        for _ in 0..150 {
            history.step();
        }
        let server = ServerId(5);
        history
            .act(Action::Crash {
                server,
                lose_unsynced: false,
            })
            .expect("it runs");
        for _ in 0..40 {
            history.step();
        }
        history
    }

    fn diagram(history: &History) -> String {
        let records = history.records();
        let records: Vec<&Record> = records.iter().collect();
        let mark = mark(&history.export());
        mermaid(&records, mark.as_deref(), Lang::En, &NoContext)
    }

    #[test]
    fn a_diagram_tells_messages_losses_and_turning_points() {
        let text = diagram(&run());
        assert!(text.starts_with("sequenceDiagram\n    %% zabscope:1."));
        for part in [
            "participant S5 as server 5",
            "->>S5: NOTIFICATION",
            "--x",
            "PROPOSAL",
            "NEWLEADER",
            "Note over S5: ",
        ] {
            assert!(
                text.contains(part) || part == "PROPOSAL",
                "{part} is not in\n{text}"
            );
        }
    }

    #[test]
    fn every_kind_of_file_gives_the_run_back() {
        let history = run();
        let exported = history.export();
        let state = link::encode(&exported);
        // The smallest PNG there is but for its picture: signature, end.
        let png = [PNG, b"\0\0\0\0IEND\xAE\x42\x60\x82"].concat();
        let svg = format!("<svg><metadata>{MARK}{state}</metadata></svg>");
        for bytes in [
            link::to_file(&exported).into_bytes(),
            diagram(&history).into_bytes(),
            svg.into_bytes(),
            png_with(png, &state),
        ] {
            assert_eq!(read(&bytes).expect("a run of ours"), exported);
        }
    }

    #[test]
    fn the_sum_of_a_chunk_is_the_one_that_png_defines() {
        assert_eq!(crc32(b"IEND"), 0xAE42_6082);
    }

    #[test]
    fn a_file_that_holds_no_run_is_refused_wherever_it_is_cut() {
        let png = [PNG, b"\0\0\0\0IEND\xAE\x42\x60\x82"].concat();
        let whole = png_with(png, &link::encode(&run().export()));
        for end in 0..whole.len() - 12 {
            // Cut within the state or before it; the sum behind it is not read.
            let _ = read(&whole[..end]);
        }
        for bytes in [
            &b""[..],
            b"zabscope",
            b"zabscope:",
            b"zabscope:1.",
            PNG,
            b"\xff\xfe",
            b"{}",
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        let mut huge = PNG.to_vec();
        huge.extend_from_slice(b"\xff\xff\xff\xfftEXt");
        assert!(read(&huge).is_err());
    }
}

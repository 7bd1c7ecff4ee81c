//! The writer: two templates side by side, and a few kinds of argument.
//!
//! `{0}` is the first argument; `{0:vote|votes}` is the word that fits its number. That is all: no
//! `format!`, so that two hundred sentences cost the page little more than their letters.

use super::{Context, Lang, Sentence, Tone, names};
use zabscope_core::{
    id::{ClientId, Epoch, ServerId, SessionId, Zxid},
    request::ErrorCode,
    sim::ClientNo,
    time::{Moment, Span},
};

/// Something that stands in a sentence.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a> {
    /// `server 3`, or `nobody` for the candidate of an observer.
    Server(ServerId),
    /// `itself` when the candidate is the voter, else `server 3`.
    Voted(ServerId, ServerId),
    /// `3`, where the word server stands already.
    Id(ServerId),
    /// `1·09`.
    Z(Zxid),
    /// `2`.
    E(Epoch),
    /// A number.
    N(u64),
    /// A signed number.
    I(i64),
    /// `200 ms`, `1.5 s`.
    Time(Span),
    /// Milliseconds.
    Ms(i32),
    /// Words, as they are.
    T(&'a str),
    /// A value that is set in the monospaced face: a path, the name of an operation.
    V(&'a str),
    /// `client A`, or its connection's number.
    Client(ClientId),
    /// `client A`.
    Who(ClientNo),
    /// `the session of client A`, or its number.
    Session(SessionId),
    /// `NoNode (there is no such znode)`.
    Error(ErrorCode),
}

/// Writes one sentence.
pub(super) struct Pen<'a> {
    pub(super) lang: Lang,
    pub(super) ctx: &'a dyn Context,
    out: Sentence,
}

impl<'a> Pen<'a> {
    pub(super) fn new(lang: Lang, ctx: &'a dyn Context) -> Pen<'a> {
        Pen {
            lang,
            ctx,
            out: Sentence::default(),
        }
    }

    pub(super) fn tone(&mut self, tone: Tone) {
        self.out.tone = tone;
    }

    /// Appends a template, filled.
    pub(super) fn say(&mut self, en: &'static str, zh: &'static str, args: &[Arg<'_>]) {
        let mut rest = self.lang.pick(en, zh);
        while let Some(open) = rest.find('{') {
            self.literal(&rest[..open]);
            let Some(len) = rest[open..].find('}') else {
                break;
            };
            let hole = &rest[open + 1..open + len];
            rest = &rest[open + len + 1..];
            let (index, words) = match hole.split_once(':') {
                Some((index, words)) => (index, Some(words)),
                None => (hole, None),
            };
            let arg = index.parse().ok().and_then(|i: usize| args.get(i));
            debug_assert!(arg.is_some(), "no argument {{{hole}}}");
            match (arg, words.and_then(|w| w.split_once('|'))) {
                (Some(arg), None) => self.put(*arg),
                (Some(Arg::N(n)), Some((one, many))) => {
                    self.out.text.push_str(if *n == 1 { one } else { many });
                }
                (Some(_), Some((_, many))) => self.out.text.push_str(many),
                (None, _) => {}
            }
        }
        self.literal(rest);
    }

    /// Words of a template. Between two Chinese characters there is no space; the templates have
    /// one after an argument, for those that end in a number.
    fn literal(&mut self, words: &str) {
        let han = |c: Option<char>| c.is_some_and(|c| c >= '\u{2e80}');
        let words = match words.strip_prefix(' ') {
            Some(next) if han(self.out.text.chars().last()) && han(next.chars().next()) => next,
            Some(_) | None => words,
        };
        self.out.text.push_str(words);
    }

    /// A phrase of its own in this language, to stand inside a sentence.
    pub(super) fn phrase(&self, write: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut pen = Pen::new(self.lang, self.ctx);
        write(&mut pen);
        pen.into_phrase()
    }

    pub(super) fn into_phrase(self) -> String {
        self.out.text
    }

    /// The sentence, with a capital.
    pub(super) fn finish(mut self) -> Sentence {
        let quoted = self.out.values.first().is_some_and(|v| v.0 == 0);
        if !quoted && let Some(first) = self.out.text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        self.out
    }

    fn text(&mut self, en: &'static str, zh: &'static str) {
        self.out.text.push_str(self.lang.pick(en, zh));
    }

    fn value(&mut self, write: impl FnOnce(&mut String)) {
        let from = self.out.text.len();
        write(&mut self.out.text);
        self.out.values.push((from, self.out.text.len()));
    }

    fn number(&mut self, n: u64) {
        push_number(&mut self.out.text, n);
    }

    fn put(&mut self, arg: Arg<'_>) {
        match arg {
            Arg::Server(ServerId::NOBODY) | Arg::Id(ServerId::NOBODY) => {
                self.text("nobody", "无人")
            }
            Arg::Server(id) => {
                self.text("server ", "服务器 ");
                push_signed(&mut self.out.text, id.0);
            }
            Arg::Voted(id, voter) if id == voter => self.text("itself", "自己"),
            Arg::Voted(id, _) => self.put(Arg::Server(id)),
            Arg::Id(id) => push_signed(&mut self.out.text, id.0),
            Arg::Z(zxid) if zxid.0 < 0 => self.text("none", "无"),
            Arg::Z(zxid) => self.value(|s| names::push_zxid(s, zxid)),
            Arg::E(epoch) if epoch.0 < 0 => self.text("none", "无"),
            Arg::E(epoch) => self.value(|s| push_signed(s, epoch.0)),
            Arg::N(n) => self.number(n),
            Arg::I(n) => push_signed(&mut self.out.text, n),
            Arg::Time(span) => self.value(|s| push_span(s, span)),
            Arg::Ms(ms) => {
                let span = Span::millis(u64::try_from(ms).unwrap_or_default());
                self.value(|s| push_span(s, span));
            }
            Arg::T(words) => self.out.text.push_str(words),
            Arg::V(value) => self.value(|s| s.push_str(value)),
            Arg::Who(no) => {
                self.text("client ", "客户端 ");
                push_client(&mut self.out.text, no);
            }
            Arg::Client(id) => match self.ctx.client(id) {
                Some(no) => self.put(Arg::Who(no)),
                None => {
                    self.text("the client on connection ", "连接 ");
                    self.number(id.0);
                    self.text("", " 上的客户端");
                }
            },
            Arg::Session(id) => match self.ctx.session(id) {
                Some(no) => {
                    self.text("the session of client ", "客户端 ");
                    push_client(&mut self.out.text, no);
                    self.text("", " 的会话");
                }
                None => {
                    self.text("session ", "会话 ");
                    self.value(|s| push_hex(s, id.0));
                }
            },
            Arg::Error(code) => {
                self.value(|s| s.push_str(code.name()));
                self.text(" (", "（");
                self.out.text.push_str(names::error(code, self.lang));
                self.text(")", "）");
            }
        }
    }
}

/// A moment of virtual time: `4.812 s`.
#[must_use]
pub fn moment(at: Moment) -> String {
    let mut s = String::new();
    push_number(&mut s, at.0 / 1_000_000);
    s.push('.');
    let ms = at.0 / 1000 % 1000;
    if ms < 100 {
        s.push('0');
    }
    if ms < 10 {
        s.push('0');
    }
    push_number(&mut s, ms);
    s.push_str(" s");
    s
}

pub(super) fn push_number(out: &mut String, n: u64) {
    if n >= 10 {
        push_number(out, n / 10);
    }
    out.push(char::from(b'0' + (n % 10) as u8));
}

fn push_signed(out: &mut String, n: i64) {
    if n < 0 {
        out.push('-');
    }
    push_number(out, n.unsigned_abs());
}

fn push_hex(out: &mut String, n: i64) {
    out.push_str("0x");
    let n = n as u64;
    let digits = (64 - n.leading_zeros()).div_ceil(4).max(1);
    for d in (0..digits).rev() {
        let digit = (n >> (4 * d)) as u32 & 15;
        out.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}

fn push_span(out: &mut String, span: Span) {
    let ms = span.as_millis();
    if ms < 1000 {
        push_number(out, ms);
        out.push_str(" ms");
    } else {
        push_number(out, ms / 1000);
        if ms % 1000 >= 100 {
            out.push('.');
            push_number(out, ms % 1000 / 100);
        }
        out.push_str(" s");
    }
}

fn push_client(out: &mut String, no: ClientNo) {
    match no.0 {
        n @ 1..=26 => out.push(char::from(b'A' + (n - 1) as u8)),
        n => push_number(out, u64::from(n)),
    }
}

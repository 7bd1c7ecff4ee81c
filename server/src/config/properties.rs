//! Java's .properties format, as `java.util.Properties.load` reads it, with line numbers.

/// One setting of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, with blanks around it removed as Apache removes them.
    pub key: String,
    /// The value, likewise.
    pub value: String,
    /// The line that it begins on, from 1.
    pub line: usize,
}

/// A line that can't be read: an escape `\u` without four hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The line, from 1.
    pub line: usize,
}

/// The entries of a file in order, and its lines that can't be read.
///
/// Java takes the bytes for Latin-1. Here they are UTF-8 if they are valid UTF-8, and Latin-1
/// otherwise, so that a path with an accent is the path that the editor showed.
#[must_use]
pub fn parse(bytes: &[u8]) -> (Vec<Entry>, Vec<BadLine>) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    };
    let mut entries = Vec::new();
    let mut bad = Vec::new();
    for (line, logical) in logical_lines(&text) {
        let (key, value) = split(&logical);
        match (unescape(key), unescape(value)) {
            (Some(key), Some(value)) => entries.push(Entry {
                key: trim(&key).to_owned(),
                value: trim(&value).to_owned(),
                line,
            }),
            _ => bad.push(BadLine { line }),
        }
    }
    (entries, bad)
}

/// Java's `String.trim`: everything up to U+0020 at both ends.
fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c')
}

/// Lines without comments and empty ones, continuations joined.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (i, natural) in natural_lines(text).into_iter().enumerate() {
        let content = natural.trim_start_matches(is_blank);
        if open.is_none() && (content.is_empty() || content.starts_with(['#', '!'])) {
            continue;
        }
        let goes_on = content.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let (line, mut joined) = open.take().unwrap_or_else(|| (i + 1, String::new()));
        joined.push_str(if goes_on {
            &content[..content.len() - 1]
        } else {
            content
        });
        if goes_on {
            open = Some((line, joined));
        } else {
            out.push((line, joined));
        }
    }
    out.extend(open);
    out
}

/// Lines that end with LF, CR or CR LF.
fn natural_lines(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        out.push(&rest[..at]);
        let pair = rest[at..].starts_with("\r\n");
        rest = &rest[at + if pair { 2 } else { 1 }..];
    }
    out.push(rest);
    out
}

/// Key and value: they are parted by blanks, with at most one `=` or `:` among them.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let mut end = line.len();
    for (at, c) in line.char_indices() {
        if !escaped && (is_blank(c) || c == '=' || c == ':') {
            end = at;
            break;
        }
        escaped = c == '\\' && !escaped;
    }
    let rest = line[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(is_blank))
}

/// Without its escapes; `None` if a `\u` is broken. A surrogate, which no Rust text can hold, becomes
/// the replacement character.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\x0c'),
            Some('u') => {
                let mut unit = 0;
                for _ in 0..4 {
                    unit = unit * 16 + chars.next()?.to_digit(16)?;
                }
                out.push(char::from_u32(unit).unwrap_or('\u{fffd}'));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    Some(out)
}

/// Splits SERVER_JVMFLAGS into words; quotation marks hold words together.
#[must_use]
pub fn words(flags: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in flags.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => out.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

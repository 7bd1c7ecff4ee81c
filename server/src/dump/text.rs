//! Values as a person reads them. Nothing from a file may move the cursor of a terminal.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::fmt::Write as _;
use zabscope_core::{
    request::{Acl, perms},
    txn::Data,
};

/// How much of a znode's data a transaction's line shows.
const SHOWN: usize = 64;

/// A path or another string.
pub fn plain(text: &str) -> String {
    match text.chars().any(char::is_control) {
        true => text.escape_debug().to_string(),
        false => text.to_owned(),
    }
}

/// Data, whole: quoted where it is text, otherwise `#` and hexadecimal.
pub fn data(data: &Data) -> String {
    let Some(bytes) = data else {
        return "null".into();
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => format!("{text:?}"),
        Err(_) => {
            let mut hex = String::with_capacity(1 + bytes.len() * 2);
            hex.push('#');
            for byte in bytes.iter() {
                let _ = write!(hex, "{byte:02x}");
            }
            hex
        }
    }
}

/// Data, the beginning.
pub fn short_data(all: &Data) -> String {
    match all {
        Some(bytes) if bytes.len() > SHOWN => {
            // Not in the middle of a character, if it is text.
            let end = (SHOWN - 3..=SHOWN)
                .rev()
                .find(|end| bytes.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80))
                .unwrap_or(SHOWN);
            format!(
                "{}… ({} bytes)",
                data(&Some(bytes[..end].into())),
                bytes.len()
            )
        }
        _ => data(all),
    }
}

/// Data for JSON.
pub fn base64(data: &Data) -> Option<String> {
    data.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes))
}

/// `scheme:id:cdrwa`
pub fn acl(acl: &Acl) -> String {
    let letters: String = [
        (perms::CREATE, 'c'),
        (perms::DELETE, 'd'),
        (perms::READ, 'r'),
        (perms::WRITE, 'w'),
        (perms::ADMIN, 'a'),
    ]
    .into_iter()
    .filter(|(bit, _)| acl.perms & bit != 0)
    .map(|(_, letter)| letter)
    .collect();
    format!("{}:{}:{letters}", plain(&acl.scheme), plain(&acl.id))
}

/// A list of them, with blanks between.
pub fn acls(list: &[Acl]) -> String {
    let all: Vec<String> = list.iter().map(acl).collect();
    all.join(" ")
}

/// Milliseconds since 1970.
pub fn time(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Data {
        Some(bytes.into())
    }

    #[test]
    fn nothing_from_a_file_can_move_the_cursor() {
        assert_eq!(plain("/a\u{1b}[2J"), "/a\\u{1b}[2J");
        assert_eq!(plain("/ä b"), "/ä b");
        assert_eq!(data(&of(b"a\x1b\n")), "\"a\\u{1b}\\n\"");
        let entry = Acl {
            perms: perms::READ | perms::CREATE,
            scheme: "digest".into(),
            id: "joe\r:x".into(),
        };
        assert_eq!(acl(&entry), "digest:joe\\r:x:cr");
    }

    #[test]
    fn data_is_text_hexadecimal_or_null() {
        assert_eq!(data(&None), "null");
        assert_eq!(data(&of(b"")), "\"\"");
        assert_eq!(data(&of(&[0xff, 0])), "#ff00");
        assert_eq!(base64(&of(&[0xff, 0])).as_deref(), Some("/wA="));
        assert_eq!(base64(&None), None);
    }

    #[test]
    fn long_data_is_cut_between_characters() {
        for before in 0..4 {
            let text = format!("{}{}", "a".repeat(before), "€".repeat(40));
            let short = short_data(&of(text.as_bytes()));
            assert!(short.starts_with('"'), "{short}");
            assert!(
                short.ends_with(&format!("€\"… ({} bytes)", text.len())),
                "{short}"
            );
        }
        assert_eq!(short_data(&of(b"short")), "\"short\"");
        let bytes = short_data(&of(&[0xbf; 100]));
        assert!(
            bytes.starts_with("#bf") && bytes.ends_with("… (100 bytes)"),
            "{bytes}"
        );
    }

    #[test]
    fn a_time_that_is_none_is_a_number() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(i64::MAX), format!("{} ms", i64::MAX));
    }
}

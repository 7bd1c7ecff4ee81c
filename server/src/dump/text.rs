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

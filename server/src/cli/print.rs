//! Stats, ACLs, data and events as zkCli prints them, and as JSON.

use crate::client::Event;
use base64::Engine;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use zabscope_core::request::{Acl, Data, Stat, perms};

/// A time as Java's `Date` prints it, in the machine's time zone.
fn date(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => at
            .to_zoned(TimeZone::system())
            .strftime("%a %b %d %H:%M:%S %Z %Y")
            .to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

pub fn stat(s: &Stat) -> String {
    format!(
        "cZxid = 0x{:x}\nctime = {}\nmZxid = 0x{:x}\nmtime = {}\npZxid = 0x{:x}\ncversion = {}\n\
         dataVersion = {}\naclVersion = {}\nephemeralOwner = 0x{:x}\ndataLength = {}\nnumChildren = {}\n",
        s.czxid.0,
        date(s.ctime),
        s.mzxid.0,
        date(s.mtime),
        s.pzxid.0,
        s.cversion,
        s.version,
        s.aversion,
        s.ephemeral_owner,
        s.data_length,
        s.num_children,
    )
}

/// The fields under the record's own names; times in ms, zxids as numbers.
pub fn stat_json(s: &Stat) -> Value {
    json!({
        "czxid": s.czxid.0,
        "mzxid": s.mzxid.0,
        "ctime": s.ctime,
        "mtime": s.mtime,
        "version": s.version,
        "cversion": s.cversion,
        "aversion": s.aversion,
        "ephemeralOwner": s.ephemeral_owner,
        "dataLength": s.data_length,
        "numChildren": s.num_children,
        "pzxid": s.pzxid.0,
    })
}

/// Permissions in zkCli's order.
pub fn perm_string(bits: i32) -> String {
    [
        (perms::CREATE, 'c'),
        (perms::DELETE, 'd'),
        (perms::READ, 'r'),
        (perms::WRITE, 'w'),
        (perms::ADMIN, 'a'),
    ]
    .into_iter()
    .filter(|(bit, _)| bits & bit != 0)
    .map(|(_, letter)| letter)
    .collect()
}

pub fn acls(list: &[Acl]) -> String {
    let line = |a: &Acl| format!("'{},'{}\n: {}\n", a.scheme, a.id, perm_string(a.perms));
    list.iter().map(line).collect()
}

pub fn acls_json(list: &[Acl]) -> Value {
    let one =
        |a: &Acl| json!({ "scheme": &*a.scheme, "id": &*a.id, "perms": perm_string(a.perms) });
    list.iter().map(one).collect()
}

/// What is shown of data: null is the word.
pub fn text(data: &Data) -> String {
    match data {
        None => "null".to_owned(),
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

pub fn base64(data: &Data) -> String {
    let bytes = data.as_deref().unwrap_or(b"null");
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// `data` if it is text, `dataBase64` always; both null for null.
pub fn data_json(data: &Data) -> (Value, Value) {
    match data {
        None => (Value::Null, Value::Null),
        Some(bytes) => {
            let text = std::str::from_utf8(bytes).map_or(Value::Null, Value::from);
            (text, Value::from(base64(data)))
        }
    }
}

/// A table of bytes, as `get -x` prints it.
pub fn hex_dump(data: &Data) -> String {
    let bytes = data.as_deref().unwrap_or(b"null");
    if bytes.is_empty() {
        return String::new();
    }
    let line = "-".repeat(49);
    let columns: String = (0..16).map(|i| format!("  {i:x}")).collect();
    let edge = format!("+--------+{line}+----------------+");
    let mut out = format!("         +{line}+\n         |{columns} |\n{edge}");
    for (i, row) in bytes.chunks(16).enumerate() {
        let hex: String = row.iter().map(|b| format!(" {b:02x}")).collect();
        let shown: String = row
            .iter()
            .map(|b| {
                if (0x20..0x7f).contains(b) {
                    char::from(*b)
                } else {
                    '.'
                }
            })
            .collect();
        out += &format!("\n|{:08x}|{hex:48} |{shown:16}|", i * 16);
    }
    out + "\n" + &edge
}

pub fn event_json(event: &Event) -> Value {
    json!({
        "event": event.kind.name(),
        "state": event.state.event_name(),
        "path": event.path.as_deref(),
        "zxid": event.zxid.0,
    })
}

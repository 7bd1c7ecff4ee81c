//! Paths: what is valid, how they split, how they are numbered (ZooKeeper.md 1.6, 1.8).

use crate::request::ErrorCode;

/// The root. Apache keeps it under two keys, this one and the empty string.
pub const ROOT: &str = "/";
/// Where quotas and the configuration live; what is below it is not part of the digest.
pub const ZOOKEEPER: &str = "/zookeeper";
/// The parent of all quotas.
pub const QUOTA: &str = "/zookeeper/quota";
/// The ensemble's configuration as a znode.
pub const CONFIG: &str = "/zookeeper/config";

/// Whether a client may create or write a znode of this name.
///
/// # Errors
/// [`ErrorCode::BadArguments`] for everything that 1.6 forbids.
pub fn validate(path: &str) -> Result<(), ErrorCode> {
    let bad = Err(ErrorCode::BadArguments);
    let Some(below) = path.strip_prefix('/') else {
        return bad;
    };
    if below.is_empty() {
        return Ok(());
    }
    if below
        .split('/')
        .any(|name| matches!(name, "" | "." | "..") || !name.chars().all(is_allowed))
    {
        return bad;
    }
    Ok(())
}

/// Java looks at UTF-16 units: a character outside the BMP is two surrogates, and those are
/// forbidden with the range U+D800 to U+F8FF.
fn is_allowed(c: char) -> bool {
    !matches!(u32::from(c), 0..=0x1f | 0x7f..=0x9f | 0xd800..=0xf8ff | 0xfff0..)
}

/// Whether it may never be deleted.
#[must_use]
pub fn is_special(path: &str) -> bool {
    matches!(path, ROOT | ZOOKEEPER | QUOTA | CONFIG)
}

/// All up to the last slash; the root for a top-level path *and for the root itself*; `None`
/// without any slash. Validates nothing: that is how the checks of 1.8 begin.
#[must_use]
pub fn parent(path: &str) -> Option<&str> {
    match path.rfind('/')? {
        0 => Some(ROOT),
        slash => Some(&path[..slash]),
    }
}

/// Parent and last name; `None` for the root, for what has no name after a slash, and for `//x`,
/// which would be a second name of `/x`.
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    let slash = path.rfind('/')?;
    let (before, name) = (&path[..slash], &path[slash + 1..]);
    if name.is_empty() || before == ROOT {
        return None;
    }
    Some((parent(path)?, name))
}

/// The path of a child.
#[must_use]
pub fn child(parent: &str, name: &str) -> String {
    if parent == ROOT {
        format!("/{name}")
    } else {
        format!("{parent}/{name}")
    }
}

/// Whether it is strictly below `ancestor`.
#[must_use]
pub fn is_below(path: &str, ancestor: &str) -> bool {
    if ancestor == ROOT {
        return path.len() > 1;
    }
    path.strip_prefix(ancestor)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The path with its sequence suffix: ten digits of the parent's stored cversion before the
/// create. Signed, so that behind `2147483647` comes `-2147483648` (6.5).
#[must_use]
pub fn with_sequence(path: &str, parent_cversion: i32) -> String {
    format!("{path}{parent_cversion:010}")
}

/// The bytes that stand for a path in the digest: the root counts as the empty string (4.7).
#[must_use]
pub(super) fn digest_bytes(path: &str) -> &[u8] {
    if path == ROOT { b"" } else { path.as_bytes() }
}

/// Whether a node at this path contributes to the digest (4.7, trap 25).
#[must_use]
pub(super) fn in_digest(path: &str) -> bool {
    !is_below(path, ZOOKEEPER)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_paths_pass() {
        for path in [
            "/",
            "/a",
            "/a/b",
            "/a.b",
            "/...",
            "/.a",
            "/a..",
            "/ä/漢字",
            "/a b",
        ] {
            assert_eq!(validate(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_without_shape_are_bad_arguments() {
        for path in [
            "", "a", "a/b", "/a/", "//", "//a", "/a//b", "/.", "/..", "/a/./b", "/a/..",
        ] {
            assert_eq!(validate(path), Err(ErrorCode::BadArguments), "{path}");
        }
    }

    #[test]
    fn forbidden_characters_are_bad_arguments() {
        for c in [
            '\0',
            '\u{1}',
            '\u{1f}',
            '\u{7f}',
            '\u{9f}',
            '\u{e000}',
            '\u{f8ff}',
            '\u{fff0}',
            '\u{ffff}',
            '\u{1f600}',
        ] {
            assert_eq!(
                validate(&format!("/a{c}")),
                Err(ErrorCode::BadArguments),
                "{c:?}"
            );
        }
        for c in [' ', '~', '\u{a0}', '\u{d7ff}', '\u{f900}', '\u{ffef}'] {
            assert_eq!(validate(&format!("/a{c}")), Ok(()), "{c:?}");
        }
    }

    #[test]
    fn sequence_suffixes_are_ten_signed_digits() {
        for (n, expected) in [
            (7, "/q0000000007"),
            (-7, "/q-000000007"),
            (i32::MAX, "/q2147483647"),
            (i32::MIN, "/q-2147483648"),
        ] {
            assert_eq!(with_sequence("/q", n), expected);
        }
    }

    #[test]
    fn paths_split_at_the_last_slash() {
        assert_eq!(split("/a/b"), Some(("/a", "b")));
        assert_eq!(split("/a"), Some(("/", "a")));
        for none in ["/", "", "a", "/a/", "//a"] {
            assert_eq!(split(none), None, "{none}");
        }
        assert_eq!(parent("/"), Some("/"));
        assert_eq!(child("/", "a"), "/a");
        assert_eq!(child("/a", "b"), "/a/b");
    }

    #[test]
    fn below_means_components_not_characters() {
        assert!(is_below("/a/b", "/a"));
        assert!(!is_below("/ab", "/a"));
        assert!(!is_below("/a", "/a"));
        assert!(is_below("/a", "/") && !is_below("/", "/"));
    }
}

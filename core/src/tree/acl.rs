//! Who may do what: checks, normalisation, schemes (ZooKeeper.md 1.15).

use crate::request::{Acl, AuthId, ErrorCode, perms};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};
use std::{net::Ipv6Addr, sync::Arc};

const SUPER: &str = "super";
const DIGEST: &str = "digest";
const IP: &str = "ip";

/// One authentication scheme. `x509` and `sasl` will be further rows.
struct Scheme {
    name: &'static str,
    /// Whether an ACL entry may carry this id.
    is_valid: fn(&str) -> bool,
    /// Whether a connection's id is meant by an ACL entry's: `(id, entry)`.
    matches: fn(&str, &str) -> bool,
    /// Whether having such an id means to be somebody: what `auth` expands to.
    authenticates: bool,
    /// The user's name within an id.
    user: fn(&str) -> &str,
    /// The id that an auth packet proves, given what the connection has proved so far.
    prove: fn(&[u8], &[AuthId]) -> Option<String>,
}

const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: DIGEST,
        is_valid: is_user_and_hash,
        matches: |id, entry| id == entry,
        authenticates: true,
        user: |id| id.split(':').next().unwrap_or(id),
        prove: |auth, _| Some(digest_id(&String::from_utf8_lossy(auth))),
    },
    Scheme {
        name: IP,
        is_valid: |entry| Prefix::parse(entry).is_some(),
        matches: |id, entry| match (Prefix::parse(entry), parse_ip(id)) {
            (Some(prefix), Some(address)) => prefix.contains(address),
            (_, _) => false,
        },
        authenticates: false,
        user: |id| id,
        prove: |_, connection| {
            let address = connection.iter().find(|id| &*id.scheme == IP)?;
            Some(address.id.to_string())
        },
    },
];

fn scheme(name: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.name == name)
}

/// Everything to everyone: what a znode without a list is shown with.
#[must_use]
pub fn open() -> Arc<[Acl]> {
    Arc::from([anyone(perms::ALL)])
}

/// An entry for everyone.
#[must_use]
pub fn anyone(perms: i32) -> Acl {
    Acl {
        perms,
        scheme: Arc::from("world"),
        id: Arc::from("anyone"),
    }
}

/// Whether `ids` hold one of the `wanted` permissions. An empty list grants all, and so does an
/// id of scheme `super`.
#[must_use]
pub fn allows(list: &[Acl], wanted: i32, ids: &[AuthId]) -> bool {
    let grants = |entry: &Acl| {
        entry.perms & wanted != 0
            && (is_anyone(entry)
                || scheme(&entry.scheme).is_some_and(|scheme| {
                    ids.iter()
                        .any(|id| id.scheme == entry.scheme && (scheme.matches)(&id.id, &entry.id))
                }))
    };
    list.is_empty() || list.iter().any(grants) || ids.iter().any(|id| &*id.scheme == SUPER)
}

/// [`allows`], as a check.
///
/// # Errors
/// [`ErrorCode::NoAuth`]
pub fn check(list: &[Acl], wanted: i32, ids: &[AuthId]) -> Result<(), ErrorCode> {
    if allows(list, wanted, ids) {
        Ok(())
    } else {
        Err(ErrorCode::NoAuth)
    }
}

fn is_anyone(entry: &Acl) -> bool {
    &*entry.scheme == "world" && &*entry.id == "anyone"
}

/// What is stored for a list that a client with `ids` supplied: without duplicates, `auth`
/// replaced by who the client is.
///
/// # Errors
/// [`ErrorCode::InvalidAcl`] for an empty list, an unknown scheme, an id that is none, and `auth`
/// from nobody.
pub fn normalise(list: &Arc<[Acl]>, ids: &[AuthId]) -> Result<Arc<[Acl]>, ErrorCode> {
    // The usual case allocates nothing.
    if let [entry] = &**list
        && is_anyone(entry)
    {
        return Ok(list.clone());
    }
    let mut stored: Vec<Acl> = Vec::with_capacity(list.len());
    for (n, entry) in list.iter().enumerate() {
        if list[..n].contains(entry) {
            continue;
        }
        if is_anyone(entry) {
            stored.push(entry.clone());
        } else if &*entry.scheme == "auth" {
            let before = stored.len();
            stored.extend(
                ids.iter()
                    .filter(|id| scheme(&id.scheme).is_some_and(|scheme| scheme.authenticates))
                    .map(|id| Acl {
                        perms: entry.perms,
                        scheme: id.scheme.clone(),
                        id: id.id.clone(),
                    }),
            );
            if stored.len() == before {
                return Err(ErrorCode::InvalidAcl);
            }
        } else if scheme(&entry.scheme).is_some_and(|scheme| (scheme.is_valid)(&entry.id)) {
            stored.push(entry.clone());
        } else {
            return Err(ErrorCode::InvalidAcl);
        }
    }
    if stored.is_empty() {
        return Err(ErrorCode::InvalidAcl);
    }
    Ok(stored.into())
}

/// The list as shown to who may read but not administer: digests are hidden.
#[must_use]
pub fn hide_digests(list: &Arc<[Acl]>) -> Arc<[Acl]> {
    list.iter()
        .map(|entry| {
            let mut entry = entry.clone();
            if &*entry.scheme == DIGEST
                && let Some((user, _)) = entry.id.split_once(':')
            {
                entry.id = format!("{user}:x").into();
            }
            entry
        })
        .collect()
}

/// The id of scheme digest for `user:password`: `user:` and base64 of SHA-1 of the whole.
#[must_use]
pub fn digest_id(user_and_password: &str) -> String {
    let user = user_and_password.split(':').next().unwrap_or_default();
    let hash = STANDARD.encode(Sha1::digest(user_and_password));
    format!("{user}:{hash}")
}

/// The identity that an auth packet proves to a connection that holds `ids` already. There is no
/// wrong password: it is another id. Adding an id that is there already changes nothing; that is
/// the caller's.
///
/// # Errors
/// [`ErrorCode::AuthFailed`] for a scheme that is unknown here; the server then closes.
pub fn authenticate(name: &str, auth: &[u8], ids: &[AuthId]) -> Result<AuthId, ErrorCode> {
    let scheme = scheme(name).ok_or(ErrorCode::AuthFailed)?;
    let id = (scheme.prove)(auth, ids).ok_or(ErrorCode::AuthFailed)?;
    Ok(AuthId {
        scheme: scheme.name.into(),
        id: id.into(),
    })
}

/// An identity as whoAmI shows it: the user's name, without a digest's hash; empty for a scheme
/// without names.
#[must_use]
pub fn shown(id: &AuthId) -> AuthId {
    AuthId {
        scheme: id.scheme.clone(),
        id: scheme(&id.scheme).map_or_else(|| "".into(), |scheme| (scheme.user)(&id.id).into()),
    }
}

/// `user:hash`. `[Q]` Java's `split(":")` drops empty parts at the end, so `a:b:` passes and `a:`
/// does not.
fn is_user_and_hash(id: &str) -> bool {
    id.trim_end_matches(':').matches(':').count() == 1
}

/// An address as a number and its width in bits.
#[derive(Clone, Copy)]
struct Address {
    bits: u128,
    width: u32,
}

/// As Java parses it: leading zeros are decimal; no IPv4 inside IPv6, no zone.
fn parse_ip(text: &str) -> Option<Address> {
    if text.contains(':') {
        if text.contains('.') {
            return None;
        }
        let bits = u128::from(text.parse::<Ipv6Addr>().ok()?);
        return Some(Address { bits, width: 128 });
    }
    let mut bits = 0;
    let mut parts = 0;
    for part in text.split('.') {
        let part: i32 = part.parse().ok()?;
        bits = bits << 8 | u128::from(u8::try_from(part).ok()?);
        parts += 1;
        if parts > 4 {
            return None;
        }
    }
    (parts == 4).then_some(Address { bits, width: 32 })
}

/// An address with the number of bits that count.
struct Prefix {
    address: Address,
    length: u32,
}

impl Prefix {
    fn parse(entry: &str) -> Option<Prefix> {
        let (address, length) = match entry.split_once('/') {
            Some((address, length)) => (parse_ip(address)?, Some(length)),
            None => (parse_ip(entry)?, None),
        };
        let length = match length {
            Some(text) => u32::try_from(text.parse::<i32>().ok()?).ok()?,
            None => address.width,
        };
        (length <= address.width).then_some(Prefix { address, length })
    }

    fn contains(&self, other: Address) -> bool {
        let rest = self.address.width - self.length;
        let differ = self.address.bits ^ other.bits;
        self.address.width == other.width && (rest == 128 || differ >> rest == 0)
    }
}

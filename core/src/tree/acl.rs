//! Who may do what: checks, normalisation, schemes (ZooKeeper.md 1.15).

use crate::{
    config::{DigestAlgorithm, Rights},
    request::{Acl, AuthId, ErrorCode, perms},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};
use std::{net::Ipv6Addr, sync::Arc};

const SUPER: &str = "super";
const DIGEST: &str = "digest";
const IP: &str = "ip";
const X509: &str = "x509";
const SASL: &str = "sasl";
/// The scheme of an auth packet that names the ensemble which a client means; no identity comes of it.
pub(crate) const ENSEMBLE: &str = "ensemble";

/// One authentication scheme.
struct Scheme {
    name: &'static str,
    /// Whether it is there.
    exists: fn(&Rights) -> bool,
    /// Whether an ACL entry may carry this id.
    is_valid: fn(&str) -> bool,
    /// Whether a connection's id is meant by an ACL entry's: `(id, entry)`.
    matches: fn(&Rights, &str, &str) -> bool,
    /// Whether having such an id means to be somebody: what `auth` expands to.
    authenticates: bool,
    /// The user's name within an id.
    user: fn(&str) -> &str,
    /// The id that an auth packet proves, given what the connection has proved so far.
    prove: fn(&Rights, &[u8], &[AuthId]) -> Option<String>,
}

const SCHEMES: [Scheme; 4] = [
    Scheme {
        name: DIGEST,
        exists: |rights| rights.digest.is_some(),
        is_valid: is_user_and_hash,
        matches: |_, id, entry| id == entry,
        authenticates: true,
        user: |id| id.split(':').next().unwrap_or(id),
        prove: |rights, auth, _| Some(digest_id(rights.digest?, &String::from_utf8_lossy(auth))),
    },
    Scheme {
        name: IP,
        exists: |_| true,
        is_valid: |entry| Prefix::parse(entry).is_some(),
        matches: |_, id, entry| match (Prefix::parse(entry), parse_ip(id)) {
            (Some(prefix), Some(address)) => prefix.contains(address),
            (_, _) => false,
        },
        authenticates: false,
        user: |id| id,
        prove: |_, _, connection| held(connection, IP),
    },
    Scheme {
        name: X509,
        exists: |rights| rights.x509,
        is_valid: is_subject,
        matches: |_, id, entry| id == entry,
        authenticates: true,
        user: |id| id,
        // The driver has looked at the certificate when the connection came.
        prove: |_, _, connection| held(connection, X509),
    },
    Scheme {
        name: SASL,
        exists: |rights| rights.sasl,
        is_valid: is_principal,
        matches: |rights, id, entry| {
            id == SUPER || id == entry || rights.any_sasl.as_deref() == Some(entry)
        },
        authenticates: true,
        user: |id| id,
        // Proved by an exchange of its own, never by an auth packet.
        prove: |_, _, _| None,
    },
];

fn scheme(rights: &Rights, name: &str) -> Option<&'static Scheme> {
    let found = SCHEMES.iter().find(|scheme| scheme.name == name);
    found.filter(|scheme| (scheme.exists)(rights))
}

/// What a connection has proved of a scheme before.
fn held(connection: &[AuthId], scheme: &str) -> Option<String> {
    let id = connection.iter().find(|id| &*id.scheme == scheme)?;
    Some(id.id.to_string())
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

/// Whether `ids` hold one of the `wanted` permissions. An empty list grants all, and so do an id of
/// scheme `super` and `skipACL`.
#[must_use]
pub fn allows(rights: &Rights, list: &[Acl], wanted: i32, ids: &[AuthId]) -> bool {
    let grants = |entry: &Acl| {
        entry.perms & wanted != 0
            && (is_anyone(entry)
                || scheme(rights, &entry.scheme).is_some_and(|scheme| {
                    ids.iter().any(|id| {
                        id.scheme == entry.scheme && (scheme.matches)(rights, &id.id, &entry.id)
                    })
                }))
    };
    rights.skip_acl
        || list.is_empty()
        || list.iter().any(grants)
        || ids.iter().any(|id| &*id.scheme == SUPER)
}

/// [`allows`], as a check.
///
/// # Errors
/// [`ErrorCode::NoAuth`]
pub fn check(rights: &Rights, list: &[Acl], wanted: i32, ids: &[AuthId]) -> Result<(), ErrorCode> {
    if allows(rights, list, wanted, ids) {
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
pub fn normalise(
    rights: &Rights,
    list: &Arc<[Acl]>,
    ids: &[AuthId],
) -> Result<Arc<[Acl]>, ErrorCode> {
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
                    .filter(|id| {
                        scheme(rights, &id.scheme).is_some_and(|scheme| scheme.authenticates)
                    })
                    .map(|id| Acl {
                        perms: entry.perms,
                        scheme: id.scheme.clone(),
                        id: id.id.clone(),
                    }),
            );
            if stored.len() == before {
                return Err(ErrorCode::InvalidAcl);
            }
        } else if scheme(rights, &entry.scheme).is_some_and(|scheme| (scheme.is_valid)(&entry.id)) {
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

/// The id of scheme digest for `user:password`: `user:` and base64 of the hash of the whole.
#[must_use]
pub fn digest_id(algorithm: DigestAlgorithm, user_and_password: &str) -> String {
    let user = user_and_password.split(':').next().unwrap_or_default();
    let hash = match algorithm {
        DigestAlgorithm::Sha1 => STANDARD.encode(Sha1::digest(user_and_password)),
        DigestAlgorithm::Sha256 => STANDARD.encode(Sha256::digest(user_and_password)),
        DigestAlgorithm::Sha512 => STANDARD.encode(Sha512::digest(user_and_password)),
    };
    format!("{user}:{hash}")
}

/// The identities that an auth packet proves to a connection that holds `ids` already: one, and
/// `super` before it for the configured digest. There is no wrong password: it is another id. Adding an
/// id that is there already changes nothing; that is the caller's.
///
/// # Errors
/// [`ErrorCode::AuthFailed`] for a scheme that is unknown here; the server then closes.
pub fn authenticate(
    rights: &Rights,
    name: &str,
    auth: &[u8],
    ids: &[AuthId],
) -> Result<Vec<AuthId>, ErrorCode> {
    let scheme = scheme(rights, name).ok_or(ErrorCode::AuthFailed)?;
    let id = (scheme.prove)(rights, auth, ids).ok_or(ErrorCode::AuthFailed)?;
    let is_super = scheme.name == DIGEST && rights.super_digest.as_ref() == Some(&id);
    let of_super = is_super.then(|| AuthId {
        scheme: SUPER.into(),
        id: "".into(),
    });
    let proved = AuthId {
        scheme: scheme.name.into(),
        id: id.into(),
    };
    Ok(of_super.into_iter().chain([proved]).collect())
}

/// The identities of a connection whose SASL exchange has proved `id`: itself, and `super` for a super
/// user.
#[must_use]
pub fn of_sasl(rights: &Rights, id: Arc<str>) -> Vec<AuthId> {
    let is_super = rights.sasl_super_users.contains(&*id);
    let of_super = is_super.then(|| AuthId {
        scheme: SUPER.into(),
        id: "".into(),
    });
    let proved = AuthId {
        scheme: SASL.into(),
        id,
    };
    [proved].into_iter().chain(of_super).collect()
}

/// What a failed SASL exchange means.
///
/// # Errors
/// The server closes the connection with [`ErrorCode::SessionClosedRequireSaslAuth`] where that scheme
/// is enforced, otherwise with [`ErrorCode::AuthFailed`] unless such clients may stay.
pub fn sasl_failed(rights: &Rights) -> Result<(), ErrorCode> {
    let enforced = rights.enforced_schemes.as_deref().unwrap_or_default();
    if enforced.iter().any(|scheme| scheme == SASL) {
        Err(ErrorCode::SessionClosedRequireSaslAuth)
    } else if rights.forgives_failed_sasl {
        Ok(())
    } else {
        Err(ErrorCode::AuthFailed)
    }
}

/// Whether who has proved `ids` is served at all (`enforce.auth.schemes`).
#[must_use]
pub fn may_come_in(rights: &Rights, ids: &[AuthId]) -> bool {
    rights.enforced_schemes.as_ref().is_none_or(|schemes| {
        ids.iter()
            .any(|id| schemes.iter().any(|scheme| **scheme == *id.scheme))
    })
}

/// An identity as whoAmI shows it: the user's name, without a digest's hash; empty for a scheme
/// without names.
#[must_use]
pub fn shown(id: &AuthId) -> AuthId {
    AuthId {
        scheme: id.scheme.clone(),
        id: SCHEMES
            .iter()
            .find(|scheme| scheme.name == &*id.scheme)
            .map_or_else(|| "".into(), |scheme| (scheme.user)(&id.id).into()),
    }
}

/// `user:hash`. `[Q]` Java's `split(":")` drops empty parts at the end, so `a:b:` passes and `a:`
/// does not.
fn is_user_and_hash(id: &str) -> bool {
    id.trim_end_matches(':').matches(':').count() == 1
}

/// A distinguished name, as far as one can tell it from other text: parts with a type, by commas.
fn is_subject(name: &str) -> bool {
    let mut parts = 0;
    // A comma that belongs to a value is escaped or between quotes.
    let (mut quoted, mut escaped, mut typed) = (false, false, false);
    for c in name.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '=' if !quoted => typed = true,
            ',' | ';' | '+' if !quoted => {
                if !typed {
                    return false;
                }
                parts += 1;
                typed = false;
            }
            _ => {}
        }
    }
    !quoted && !escaped && (typed || (name.is_empty() && parts == 0))
}

/// A name as Kerberos writes it, `service/host@REALM`, or one without a realm.
fn is_principal(name: &str) -> bool {
    match name.split_once('@') {
        None => true,
        Some((who, realm)) => !realm.contains(['/', '@']) && who.matches('/').count() <= 1,
    }
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

#[cfg(test)]
mod tests;

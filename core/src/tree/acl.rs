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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::testing::{entry, id};

    fn bob() -> AuthId {
        id("digest", &digest_id("bob:secret"))
    }

    fn list(entries: &[Acl]) -> Arc<[Acl]> {
        Arc::from(entries)
    }

    #[test]
    fn digest_ids_hash_user_and_password() {
        for (text, expected) in [
            ("super:test", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="),
            ("user1:password1", "user1:XDkd2dsEuhc9ImU3q8pa8UOdtpI="),
            ("bob:secret", "bob:fyVmFCwVbTJYrznoSu1koqYEYF0="),
        ] {
            assert_eq!(digest_id(text), expected);
        }
    }

    #[test]
    fn an_empty_list_grants_everything() {
        assert!(allows(&[], perms::ADMIN, &[]));
    }

    #[test]
    fn super_passes_every_check() {
        let nobody = [entry(0, "world", "anyone")];
        assert!(!allows(&nobody, perms::READ, &[]));
        assert!(allows(&nobody, perms::READ, &[id("super", "")]));
    }

    #[test]
    fn one_of_the_wanted_bits_is_enough() {
        let list = [entry(perms::ADMIN, "world", "anyone")];
        assert!(allows(&list, perms::READ | perms::ADMIN, &[]));
        assert_eq!(check(&list, perms::READ, &[]), Err(ErrorCode::NoAuth));
    }

    #[test]
    fn a_digest_matches_only_itself() {
        let list = [entry(perms::READ, "digest", &bob().id)];
        assert!(allows(&list, perms::READ, &[bob()]));
        assert!(!allows(
            &list,
            perms::READ,
            &[id("digest", &digest_id("bob:x"))]
        ));
        assert!(!allows(&list, perms::READ, &[id("ip", &bob().id)]));
    }

    #[test]
    fn addresses_match_by_prefix() {
        for (acl, address, expected) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.0.0/16", "10.1.200.9", true),
            ("10.1.0.0/16", "10.2.0.1", false),
            ("10.1.2.3/0", "192.168.0.1", true),
            ("2001:db8::/32", "2001:db8:1:0:0:0:0:5", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "::1", true),
            ("::/0", "10.0.0.1", false),
            ("10.0.0.0/8", "nonsense", false),
        ] {
            let list = [entry(perms::READ, "ip", acl)];
            assert_eq!(
                allows(&list, perms::READ, &[id("ip", address)]),
                expected,
                "{acl} {address}"
            );
        }
    }

    #[test]
    fn addresses_in_lists_must_parse() {
        for (acl, valid) in [
            ("10.1.2.3", true),
            ("010.1.2.3/32", true),
            ("10.1.2.3/33", false),
            ("10.1.2.3/-1", false),
            ("10.1.2", false),
            ("10.1.2.3.4", false),
            ("10.1.2.256", false),
            ("::1/128", true),
            ("::1/129", false),
            ("::ffff:1.2.3.4", false),
            ("host", false),
            ("", false),
        ] {
            let result = normalise(&list(&[entry(31, "ip", acl)]), &[]);
            assert_eq!(result.is_ok(), valid, "{acl}");
        }
    }

    #[test]
    fn digests_in_lists_have_a_user_and_a_hash() {
        for (acl, valid) in [
            ("joe:x", true),
            (":x", true),
            ("a:b:", true),
            ("joe", false),
            ("joe:", false),
            ("a:b:c", false),
            (":", false),
        ] {
            let result = normalise(&list(&[entry(31, "digest", acl)]), &[]);
            assert_eq!(result.is_ok(), valid, "{acl}");
        }
    }

    #[test]
    fn an_empty_list_is_invalid() {
        assert_eq!(normalise(&list(&[]), &[bob()]), Err(ErrorCode::InvalidAcl));
    }

    #[test]
    fn unknown_schemes_and_other_worlds_are_invalid() {
        for (scheme, name) in [
            ("world", "someone"),
            ("sasl", "joe"),
            ("x509", "CN=joe"),
            ("super", ""),
        ] {
            let result = normalise(&list(&[entry(31, scheme, name)]), &[bob()]);
            assert_eq!(result, Err(ErrorCode::InvalidAcl), "{scheme}");
        }
    }

    #[test]
    fn duplicates_go_and_order_stays() {
        let (a, b) = (entry(1, "world", "anyone"), entry(31, "digest", "joe:x"));
        let stored = normalise(&list(&[a.clone(), b.clone(), a.clone()]), &[]);
        assert_eq!(stored, Ok(list(&[a, b])));
    }

    #[test]
    fn auth_becomes_every_proved_identity() {
        let ids = [
            id("ip", "10.0.0.1"),
            bob(),
            id("super", ""),
            id("digest", "eve:h"),
        ];
        let stored = normalise(&list(&[entry(5, "auth", "whatever")]), &ids);
        let expected = [entry(5, "digest", &bob().id), entry(5, "digest", "eve:h")];
        assert_eq!(stored, Ok(list(&expected)));
    }

    #[test]
    fn auth_from_nobody_is_invalid() {
        let result = normalise(&list(&[entry(31, "auth", "")]), &[id("ip", "10.0.0.1")]);
        assert_eq!(result, Err(ErrorCode::InvalidAcl));
    }

    #[test]
    fn there_is_no_wrong_password() {
        assert_eq!(authenticate("digest", b"bob:secret", &[]), Ok(bob()));
        assert!(authenticate("digest", b"bob:other", &[]).is_ok());
        assert!(authenticate("digest", &[0xff, 0xfe], &[]).is_ok());
    }

    #[test]
    fn ip_is_what_the_connection_has() {
        let ids = [id("ip", "10.0.0.1")];
        assert_eq!(authenticate("ip", b"", &ids), Ok(id("ip", "10.0.0.1")));
        assert_eq!(authenticate("ip", b"", &[]), Err(ErrorCode::AuthFailed));
    }

    #[test]
    fn unknown_schemes_fail_authentication() {
        for scheme in ["sasl", "x509", "world", "super", ""] {
            assert_eq!(
                authenticate(scheme, b"a:b", &[]),
                Err(ErrorCode::AuthFailed)
            );
        }
    }

    #[test]
    fn hashes_are_hidden_and_nothing_else() {
        let shown = hide_digests(&list(&[
            entry(31, "digest", "joe:VAXy9"),
            entry(1, "world", "anyone"),
        ]));
        assert_eq!(
            *shown,
            [entry(31, "digest", "joe:x"), entry(1, "world", "anyone")]
        );
    }
}

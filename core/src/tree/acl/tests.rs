use super::*;
use crate::tree::testing::{entry, id};

fn allows(list: &[Acl], wanted: i32, ids: &[AuthId]) -> bool {
    super::allows(&Rights::default(), list, wanted, ids)
}

fn check(list: &[Acl], wanted: i32, ids: &[AuthId]) -> Result<(), ErrorCode> {
    super::check(&Rights::default(), list, wanted, ids)
}

fn normalise(list: &Arc<[Acl]>, ids: &[AuthId]) -> Result<Arc<[Acl]>, ErrorCode> {
    super::normalise(&Rights::default(), list, ids)
}

fn authenticate(name: &str, auth: &[u8], ids: &[AuthId]) -> Result<AuthId, ErrorCode> {
    let proved = super::authenticate(&Rights::default(), name, auth, ids)?;
    assert_eq!(proved.len(), 1);
    Ok(proved[0].clone())
}

fn digest_id(text: &str) -> String {
    super::digest_id(DigestAlgorithm::Sha1, text)
}

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

#[test]
fn skip_acl_allows_everything_to_everyone() {
    let rights = Rights {
        skip_acl: true,
        ..Rights::default()
    };
    let nobody = [entry(0, "world", "anyone")];
    assert!(super::allows(&rights, &nobody, perms::ADMIN, &[]));
    // A list must still be one.
    let none = super::normalise(&rights, &list(&[]), &[]);
    assert_eq!(none, Err(ErrorCode::InvalidAcl));
}

#[test]
fn who_proves_the_super_digest_is_super_as_well() {
    let rights = Rights {
        super_digest: Some("super:D/InIHSb7yEEbrWz8b9l71RjZJU=".to_owned()),
        ..Rights::default()
    };
    let proved = |auth: &[u8]| super::authenticate(&rights, "digest", auth, &[]).expect("proved");
    let right = proved(b"super:test");
    assert_eq!(
        right,
        [
            id("super", ""),
            id("digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU=")
        ]
    );
    let wrong = proved(b"super:guess");
    assert!(wrong.len() == 1 && &*wrong[0].scheme == "digest");
}

#[test]
fn digests_are_of_the_configured_hash() {
    // Computed with `printf bob:secret | openssl dgst -binary -sha256 | base64` and -sha512.
    for (algorithm, expected) in [
        (
            DigestAlgorithm::Sha256,
            "bob:huAluaVu3uER4LIpielGv9Qqk5x3YVDr6I2R/mXf2wE=",
        ),
        (
            DigestAlgorithm::Sha512,
            "bob:MON49O1q1UU4gzHRH8XFfdstQyTRtQRoDT+8dvk+qrZdXJegJxeoYDJfch4LeWUjXjSWIiqnKXpFYZi7tC1AZw==",
        ),
    ] {
        assert_eq!(super::digest_id(algorithm, "bob:secret"), expected);
        let rights = Rights {
            digest: Some(algorithm),
            ..Rights::default()
        };
        let proved = super::authenticate(&rights, "digest", b"bob:secret", &[]);
        assert_eq!(proved, Ok(vec![id("digest", expected)]));
    }
}

#[test]
fn a_scheme_that_is_switched_off_is_unknown() {
    let rights = Rights {
        digest: None,
        ..Rights::default()
    };
    let failed = super::authenticate(&rights, "digest", b"bob:secret", &[]);
    assert_eq!(failed, Err(ErrorCode::AuthFailed));
    let acl = list(&[entry(31, "digest", "joe:x")]);
    assert_eq!(
        super::normalise(&rights, &acl, &[]),
        Err(ErrorCode::InvalidAcl)
    );
    assert!(!super::allows(
        &rights,
        &acl,
        perms::READ,
        &[id("digest", "joe:x")]
    ));
}

#[test]
fn certificates_and_sasl_identities_count_where_they_are_switched_on() {
    let rights = Rights {
        x509: true,
        sasl: true,
        any_sasl: Some("all".to_owned()),
        ..Rights::default()
    };
    let reads = |scheme: &str, acl: &str, mine: &str| {
        let list = [entry(perms::READ, scheme, acl)];
        super::allows(&rights, &list, perms::READ, &[id(scheme, mine)])
    };
    assert!(reads("x509", "CN=joe", "CN=joe") && !reads("x509", "CN=joe", "CN=eve"));
    assert!(reads("sasl", "joe", "joe") && !reads("sasl", "joe", "eve"));
    assert!(reads("sasl", "joe", "super"), "sasl has a super of its own");
    assert!(reads("sasl", "all", "eve"), "letAnySaslUserDoX");
    for (scheme, name, valid) in [
        ("x509", "CN=joe,O=Example", true),
        ("x509", "joe", false),
        ("sasl", "joe", true),
        ("sasl", "joe/host@REALM", true),
        ("sasl", "joe@A@B", false),
    ] {
        let stored = super::normalise(&rights, &list(&[entry(31, scheme, name)]), &[]);
        assert_eq!(stored.is_ok(), valid, "{scheme} {name}");
    }
    // Neither is proved by an auth packet alone.
    for scheme in ["x509", "sasl"] {
        let proved = super::authenticate(&rights, scheme, b"CN=joe", &[]);
        assert_eq!(proved, Err(ErrorCode::AuthFailed));
    }
    let subject = id("x509", "CN=joe");
    let proved = super::authenticate(&rights, "x509", b"", std::slice::from_ref(&subject));
    assert_eq!(proved, Ok(vec![subject]));
}

#[test]
fn enforced_schemes_let_in_only_who_proved_one_of_them() {
    let rights = Rights {
        enforced_schemes: Some(vec!["sasl".to_owned(), "digest".to_owned()]),
        ..Rights::default()
    };
    assert!(!may_come_in(&rights, &[id("ip", "10.0.0.1")]));
    assert!(may_come_in(&rights, &[id("ip", "10.0.0.1"), bob()]));
    assert!(may_come_in(&Rights::default(), &[]));
}

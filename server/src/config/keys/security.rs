//! Who may come in: identities, ACLs, TLS.

use super::*;

const KERBEROS: &str = "Kerberos is not built in";
const CLASS: &str = "a Java class can't be loaded";
const STORE: Kind = Kind::OneOf(&["", "JKS", "PEM", "PKCS12", "BCFKS"]);
const CLIENT_AUTH: Kind = Kind::OneOf(&["none", "want", "need"]);

#[rustfmt::skip]
pub(super) const AUTHENTICATION: Section = Section { title: "Identities and rights", keys: &[
    key("skipACL", Z, YN, "", "no", YES, "With `yes` ACLs are not checked: everybody may do everything."),
    key("DigestAuthenticationProvider.enabled", Z, B, "", "true", YES, "Whether the scheme digest exists."),
    key("DigestAuthenticationProvider.superDigest", Z, T, "", "", YES,
        "`user:hash` of whoever may do everything. The hash is base64 of SHA-1 of `user:password`.").also(&["superDigest"]),
    key("DigestAuthenticationProvider.digestAlg", Z, Kind::OneOf(&["SHA1", "SHA-1", "SHA-256", "SHA-512"]), "", "SHA1", YES,
        "The hash of the scheme digest; the same on all servers."),
    key("IPAuthenticationProvider.usexforwardedfor", Z, B, "", "false", YES,
        "Over HTTP, the scheme ip takes the first address of X-Forwarded-For. Only behind a proxy that sets it: anybody else can write there what he likes."),
    key("X509AuthenticationProvider.superUser", Z, T, "", "", YES,
        "The subject of the client certificate whose owner may do everything."),
    key("superUser", Z, T, "", "", YES, "The SASL identity that may do everything."),
    key("superUser.<n>", Z, T, "", "", YES, "Further ones."),
    key("SASLAuthenticationProvider.superPassword", Z, T, "", "", YES,
        "Replaces the password of the user super in DIGEST-MD5; the JAAS file has to name that user."),
    key("letAnySaslUserDoX", Z, T, "", "", YES, "If set, an ACL for a SASL identity admits every SASL identity."),
    key("authProvider.<n>", Z, T, "", "", YES,
        "The Java class of a scheme; Apache's own names are understood (SASLAuthenticationProvider switches SASL on), others are an error."),
    key("ensembleAuthName", Z, Kind::List, "", "", YES,
        "Names of this ensemble. With authProvider.1=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider, a client whose auth packet of the scheme ensemble names another is disconnected, so that it tries its next server."),
    key("sessionRequireClientSASLAuth", Z, B, "", "false", YES,
        "Only clients that authenticated by SASL are served."),
    key("allowSaslFailedClients", Z, B, "", "false", YES,
        "A client whose SASL exchange failed may go on without that identity."),
    key("enforce.auth.enabled", Z, B, "", "false", YES,
        "Only clients that authenticated by one of enforce.auth.schemes are served."),
    key("enforce.auth.schemes", Z, Kind::List, "", "", YES, "Those schemes."),
    key("java.security.auth.login.config", named("java.security.auth.login.config"), Kind::Path, "", "", YES,
        "The JAAS file with names and passwords for DIGEST-MD5. Let only this server's user read it."),
    key("sasl.serverconfig", Z, T, "", "Server", YES, "The section of the JAAS file for clients."),
    key("quorum.auth.enableSasl", F, B, "", "false", YES, "Members authenticate to each other by SASL."),
    key("quorum.auth.serverRequireSasl", F, B, "", "false", YES, "A member that does not is not accepted."),
    key("quorum.auth.learnerRequireSasl", F, B, "", "false", YES, "This server authenticates when it connects to another."),
    key("quorum.auth.learner.saslLoginContext", F, T, "", "QuorumLearner", YES,
        "The section of the JAAS file for connecting."),
    key("quorum.auth.server.saslLoginContext", F, T, "", "QuorumServer", YES,
        "The section of the JAAS file for accepting."),
    ignored("quorum.auth.kerberos.servicePrincipal", F, KERBEROS, "The members' Kerberos principal."),
    ignored("kerberos.<what>", Z, KERBEROS, "How principals become names."),
    ignored("security.auth_to_local", Z, KERBEROS, "Rules by which principals become names."),
    ignored("server.principal", named("zookeeper.server.principal"), KERBEROS, "The principal that a client expects."),
    ignored("server.realm", named("zookeeper.server.realm"), KERBEROS, "The realm that a client expects."),
    refused("requireKerberosConfig", Z, KERBEROS, "Starts only with Kerberos configured."),
] };

macro_rules! tls {
    ($section:ident, $title:literal, $p:literal, $z:ident, $verify_clients:literal, $reverse:literal, [$($first:expr),* $(,)?]) => {
        #[rustfmt::skip]
        pub(super) const $section: Section = Section { title: $title, keys: &[
            $($first,)*
            key(concat!($p, "keyStore.location"), $z, Kind::Path, "", "", YES,
                "The file with this server's certificate chain and private key (PEM or PKCS12)."),
            key(concat!($p, "keyStore.password"), $z, T, "", "", YES, "Its password."),
            key(concat!($p, "keyStore.passwordPath"), $z, Kind::Path, "", "", YES,
                "A file with its password; it goes before the password."),
            key(concat!($p, "keyStore.type"), $z, STORE, "", "=by the file's extension", YES,
                "PEM or PKCS12. JKS and BCFKS are refused with the command that converts them."),
            key(concat!($p, "trustStore.location"), $z, Kind::Path, "", "", YES,
                "The file with the certificates that are trusted."),
            key(concat!($p, "trustStore.password"), $z, T, "", "", YES, "Its password."),
            key(concat!($p, "trustStore.passwordPath"), $z, Kind::Path, "", "", YES,
                "A file with its password; it goes before the password."),
            key(concat!($p, "trustStore.type"), $z, STORE, "", "=by the file's extension", YES,
                "As that of the key store."),
            key(concat!($p, "clientAuth"), $z, CLIENT_AUTH, "", "need", YES,
                "Whether who connects must show a certificate: none, want, need."),
            key(concat!($p, "protocol"), $z, Kind::OneOf(&["TLSv1.2", "TLSv1.3"]), "", "TLSv1.3", YES,
                "The newest version of TLS; with TLSv1.2, 1.3 is not offered."),
            key(concat!($p, "enabledProtocols"), $z, Kind::List, "", "=TLSv1.3, TLSv1.2", YES,
                "The versions of TLS. Older ones than 1.2 are refused."),
            key(concat!($p, "ciphersuites"), $z, Kind::List, "", "=the safe ones of each version", YES,
                "The cipher suites, by their IANA names; those that this server does not have are passed over with a warning."),
            key(concat!($p, "hostnameVerification"), $z, B, "", "true", YES,
                "The name in a certificate must be that of who shows it."),
            key(concat!($p, "clientHostnameVerification"), $z, B, "", $verify_clients, YES,
                "The same for who connects to this server."),
            key(concat!($p, "allowReverseDnsLookup"), $z, B, "", $reverse, YES,
                "Whether the name may be looked up from the address."),
            key(concat!($p, "crl"), $z, B, "", "false", YES, "Looks at lists of revoked certificates: not supported, `true` is an error."),
            key(concat!($p, "ocsp"), $z, B, "", "false", YES, "Asks whether a certificate was revoked: not supported, `true` is an error."),
            key(concat!($p, "handshakeDetectionTimeoutMillis"), $z, N1, "ms", "5000", YES,
                "How long to wait for the first bytes that tell TLS from plain text."),
            refused(concat!($p, "context.supplier.class"), $z, CLASS, "A class that makes the TLS context."),
        ] };
    };
}

tls!(
    TLS,
    "TLS with clients",
    "ssl.",
    Z,
    "false",
    "false",
    [
        key(
            "client.certReload",
            Z,
            B,
            "",
            "false",
            YES,
            "Reads the key and trust stores again when they change."
        ),
        ignored(
            "ssl.sslProvider",
            Z,
            "there is one implementation of TLS",
            "The library of TLS that Netty uses."
        ),
        key(
            "ssl.authProvider",
            Z,
            Kind::OneOf(&["x509"]),
            "",
            "x509",
            YES,
            "The scheme that client certificates prove; there is one."
        ),
    ]
);
tls!(
    QUORUM_TLS,
    "TLS between members",
    "ssl.quorum.",
    Z,
    "true",
    "true",
    [
        key(
            "sslQuorum",
            F,
            B,
            "",
            "false",
            YES,
            "Quorum and election connections use TLS."
        ),
        key(
            "portUnification",
            F,
            B,
            "",
            "false",
            YES,
            "Those ports also accept plain connections: for the time of a rolling change."
        ),
        key(
            "sslQuorumReloadCertFiles",
            F,
            B,
            "",
            "false",
            YES,
            "Reads the members' key and trust stores again when they change."
        ),
    ]
);
tls!(
    METRICS_TLS,
    "TLS for Prometheus",
    "metricsProvider.ssl.",
    F,
    "false",
    "false",
    []
);

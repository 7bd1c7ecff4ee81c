use super::*;
use crate::config::StoreFormat;

#[test]
fn a_client_reads_apaches_file_and_what_it_says_of_tls() {
    let read = |text: &'static str| {
        read_with(Some(Path::new("c.cfg")), None, &|_| {
            Ok(text.as_bytes().to_vec())
        })
        .map(|settings| settings.tls)
    };
    let tls = read(
        "zookeeper.client.secure=true\nzookeeper.clientCnxnSocket=\
         org.apache.zookeeper.ClientCnxnSocketNetty\nzookeeper.ssl.trustStore.location=/t.pem\n\
         zookeeper.ssl.keyStore.location=/k.p12\nzookeeper.ssl.keyStore.password=pw\n\
         zookeeper.sasl.client=false\n",
    );
    let tls = tls.expect("it is right").expect("it asks for TLS");
    let key = tls.key_store.expect("a key store");
    assert_eq!(key.location, Path::new("/k.p12"));
    assert_eq!(
        (key.password.as_deref(), key.format),
        (Some("pw"), Some(StoreFormat::Pkcs12))
    );
    assert!(tls.hostname_verification && tls.trust_store.is_some());
    assert_eq!(
        read("zookeeper.ssl.trustStore.location=/t.pem\n"),
        Ok(None),
        "not asked for"
    );
    let wrong = read("zookeeper.client.secure=true\nzookeeper.ssl.keyStore.location=/k.jks\n");
    assert!(
        wrong
            .expect_err("JKS")
            .to_string()
            .starts_with("c.cfg:2: ssl.keyStore.location: /k.jks")
    );
}

#[test]
fn a_client_takes_its_jaas_file_from_its_own_file_before_the_flags_for_a_jvm() {
    let read = |flags: Option<&str>, text: &'static str| {
        read_with(Some(Path::new("c.cfg")), flags, &|_| {
            Ok(text.as_bytes().to_vec())
        })
    };
    let sasl = |flags, text| {
        let read = read(flags, text).expect("it is right").sasl;
        read.map(|s| (s.login_config.display().to_string(), s.section))
    };
    let said = |file: &str, section: &str| Some((file.to_owned(), section.to_owned()));
    const FILE: &str = "java.security.auth.login.config=/f\n";
    let flags = Some(
        "-Xmx1g '-Djava.security.auth.login.config=/a b' -Dzookeeper.sasl.clientconfig=Other \
         -Dzookeeper.client.secure=TRUE",
    );
    assert_eq!(sasl(None, ""), None, "no file");
    assert_eq!(sasl(None, FILE), said("/f", "Client"));
    assert_eq!(sasl(flags, ""), said("/a b", "Other"));
    assert_eq!(sasl(flags, FILE), said("/f", "Other"));
    let third = "zookeeper.sasl.clientconfig=Third\n";
    assert_eq!(sasl(flags, third), said("/a b", "Third"));
    assert_eq!(sasl(flags, "zookeeper.sasl.client=false\n"), None);
    assert!(read(flags, "").expect("it is right").tls.is_some());
    let wrong = read(Some("-Dzookeeper.ssl.clientAuth=perhaps"), "");
    let wrong = wrong.expect_err("no such word").to_string();
    assert!(
        wrong.starts_with("CLIENT_JVMFLAGS: ssl.clientAuth: "),
        "{wrong}"
    );
}

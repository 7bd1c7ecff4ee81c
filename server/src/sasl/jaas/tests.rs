use super::*;
use proptest::prelude::*;

const FILE: &str = r#"
/* Who may come in. */
Server {
    org.apache.zookeeper.server.auth.DigestLoginModule required
    user_super="adminsecret"  // the one
    user_bob='bob\'s "secret"'
    user_plain=abc-1.2;
};
# is no comment in Java; / is
"#;

fn parsed(text: &str) -> Jaas {
    Jaas::parse(text).unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn users_are_the_options_that_begin_with_user() {
    let file = parsed(&FILE.replace('#', "//"));
    let modules = file.section("Server").expect("it is there");
    let users = users(modules);
    assert_eq!(users.len(), 3);
    assert_eq!(users.password("super"), Some("adminsecret"));
    assert_eq!(users.password("bob"), Some("bob's \"secret\""));
    assert_eq!(users.password("plain"), Some("abc-1.2"));
    assert_eq!(users.password("eve"), None);
    assert!(modules[0].is_digest());
    assert_eq!(modules[0].line, 4);
    assert!(credentials(modules).is_none());
    assert!(file.section("Client").is_none());
}

#[test]
fn a_connecting_side_is_username_and_password() {
    let file = parsed(
        "QuorumServer { org.apache.zookeeper.server.auth.DigestLoginModule REQUIRED user_z=\"q\"; };\n\
         \"QuorumLearner\" { org.apache.zookeeper.server.auth.DigestLoginModule required\n\
         username=\"z\" password=\"a\\\\b\\n\\101\\\"\"; };",
    );
    let own = credentials(file.section("QuorumLearner").expect("there")).expect("both");
    assert_eq!(
        (own.name.as_str(), own.password.as_str()),
        ("z", "a\\b\nA\"")
    );
    let other = credentials(file.section("QuorumServer").expect("there"));
    assert!(other.is_none());
}

#[test]
fn a_section_of_several_modules_and_an_empty_file_are_fine() {
    assert_eq!(parsed(" \n// nothing\n").0.len(), 0);
    let file = parsed("S { a.B required user_a=x; c.D optional user_b=\"y\"; };");
    let modules = file.section("S").expect("there");
    assert_eq!(modules.len(), 2);
    assert_eq!(users(modules).len(), 2);
    assert!(!modules[0].is_digest());
}

#[test]
fn what_is_wrong_names_its_line_and_no_password() {
    for (text, line, says) in [
        (FILE, 9, "a sign stands where the name"),
        (
            "Server {\n a.B required user_a=\"geheim\"\n};",
            3,
            "a sign stands where an option",
        ),
        (
            "Server {\n a.B required user_a=\"geheim\n\";\n};",
            3,
            "not closed in its line",
        ),
        (
            "Server {\n a.B needed user_a=\"geheim\";\n};",
            2,
            "required, requisite",
        ),
        (
            "Server {\n a.B required user_a \"geheim\";\n};",
            2,
            "= is expected",
        ),
        (
            "Server {\n a.B required user_a=\"${geheim}\";\n};",
            2,
            "not expanded",
        ),
        (
            "Server {\n a.B required user_a=ge@heim;\n};",
            2,
            "between quotes",
        ),
        (
            "Server {\n a.B required user_a=\"geheim\";\n}",
            3,
            "; is expected",
        ),
        (
            "Server {\n a.B required user_a=\"geheim\";\n",
            3,
            "} is missing",
        ),
        (
            "Server {\n a.B required user_a=\"geheim\"",
            2,
            "; is missing",
        ),
        ("Server {\n};", 2, "without a login module"),
        ("/* Server {", 1, "is not closed"),
        (
            "S { a.B required; };\nS { a.B required; };",
            2,
            "there before",
        ),
    ] {
        let problem = Jaas::parse(text).err().expect(text);
        assert_eq!(problem.line, line, "{text}: {problem}");
        assert!(problem.what.contains(says), "{text}: {problem}");
        assert!(!problem.to_string().contains("heim"), "{problem}");
    }
}

#[test]
fn a_file_that_is_none_is_an_error_that_says_what_to_do() {
    let missing = Jaas::read(Path::new("/nowhere/jaas.conf"))
        .err()
        .expect("none");
    assert!(
        missing
            .to_string()
            .contains("java.security.auth.login.config")
    );
    let endless = Jaas::read(Path::new("/dev/zero")).err().expect("none");
    assert!(matches!(endless, JaasError::Large { .. }), "{endless}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(pieces in prop::collection::vec(prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "Server", " { ", "};", ";", "a.B", " required ", "user_a", "=", "\"", "\"x\"", "'", "\\", "\\3", "/*",
            "*/", "//", "\n", "${",
        ]).prop_map(str::to_owned),
    ], 0..60)) {
        let text = pieces.concat();
        if let Err(problem) = Jaas::parse(&text) {
            prop_assert!(problem.line <= text.lines().count() + 1);
        }
    }
}

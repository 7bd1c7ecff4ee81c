use super::*;
use std::{collections::BTreeSet, sync::Weak};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no panic"));
        String::from_utf8(bytes).expect("text")
    }
}

fn cli(json: bool) -> (Cli, Buffer, Buffer) {
    let (out, err) = (Buffer::default(), Buffer::default());
    let printer = Printer::new(Box::new(out.clone()), Box::new(err.clone()), json);
    (Cli::new("nowhere:1", Arc::new(printer)), out, err)
}

#[test]
fn a_line_is_split_as_zkcli_splits_it() {
    for (line, words) in [
        ("  get  /a ", &["get", "/a"][..]),
        (
            "set /a \"two words\" 'x y'",
            &["set", "/a", "two words", "x y"],
        ),
        ("ls ''", &["ls", ""]),
        ("set /a it's", &["set", "/a", "it's"]),
        ("set /a \"open", &["set", "/a", "open"]),
        ("", &[]),
        ("é \"ü\"", &["é", "ü"]),
    ] {
        assert_eq!(args::split(line), words, "{line}");
    }
}

#[test]
fn options_are_read_as_commons_cli_reads_them() {
    let options = [
        args::switch("s", ""),
        args::switch("w", ""),
        args::value("v", ""),
        args::value("file", ""),
    ];
    let read = |line: &str| {
        args::parse(&options, &args::split(line)).map(|p| {
            let found: Vec<String> = ["s", "w", "v", "file"]
                .iter()
                .filter(|o| p.has(o))
                .map(|o| format!("{o}{}", p.value(o).unwrap_or_default()))
                .collect();
            (found.join(" "), p.words.join(" "))
        })
    };
    for (line, found, words) in [
        ("get -sw /a", "s w", "get /a"),
        ("get /a -v 3", "v3", "get /a"),
        ("get -v -1 /a", "v-1", "get /a"),
        ("get -v=7 -sv9", "s v7", "get"),
        ("get -file f - x", "filef", "get - x"),
        ("get -- -s", "", "get -s"),
    ] {
        assert_eq!(
            read(line).expect("good"),
            (found.to_owned(), words.to_owned()),
            "{line}"
        );
    }
    for (line, says) in [
        ("get -z", "Unrecognized option: -z"),
        ("get -sz", "Unrecognized option: -sz"),
        ("get --s", "Unrecognized option: --s"),
        ("get -v", "Missing argument for option: v"),
        ("get -v -s", "Missing argument for option: v"),
    ] {
        assert_eq!(read(line).expect_err("wrong").to_string(), says);
    }
}

#[test]
fn history_redo_and_what_needs_a_server_work_without_one() {
    let (mut cli, out, err) = cli(false);
    assert_eq!(cli.prompt(), "[zk: nowhere:1(CLOSED) 0] ");
    assert!(cli.line("ls /"));
    assert_eq!(out.take(), "Not connected\n");
    assert!(cli.line("printwatches off"));
    assert!(cli.line("printwatches"));
    assert_eq!(out.take(), "printwatches is off\n");
    assert!(cli.line("redo 2"));
    assert_eq!(out.take(), "printwatches is off\n");
    assert!(cli.line("history"));
    assert_eq!(
        out.take(),
        "0 - ls /\n1 - printwatches off\n2 - printwatches\n3 - printwatches\n4 - history\n"
    );
    for (line, says) in [
        ("redo 5", "Command index out of range\n"),
        ("redo x", "Command index out of range\n"),
    ] {
        assert!(!cli.line(line));
        assert_eq!(err.take(), says);
    }
    assert!(!cli.line("foo"));
    let said = err.take();
    assert!(
        said.ends_with("Command not found: Command not found foo\n"),
        "{said}"
    );
    assert!(said.contains("\tdelquota [-n|-b|-N|-B] path\n"), "{said}");
    assert!(cli.line("quit") && cli.is_finished());
}

#[test]
fn json_says_one_object_a_command() {
    let (mut cli, out, err) = cli(true);
    cli.line("printwatches");
    assert_eq!(out.take(), "{\"printwatches\":true}\n");
    cli.line("nothing");
    let error: serde_json::Value = serde_json::from_str(&err.take()).expect("one object");
    assert_eq!(error["error"], "usage");
}

#[test]
fn quotas_are_text_that_apaches_servers_read() {
    let soft = quota::Track::parse("count=5,bytes=-1");
    assert_eq!(soft.to_string(), "count=5,bytes=-1");
    let text = "count=5,bytes=100=;byteHardLimit=7;countHardLimit=3";
    let hard = quota::Track::parse(text);
    assert_eq!((hard.get("bytes"), hard.get("countHardLimit")), (100, 3));
    assert_eq!(hard.to_string(), text);
    assert_eq!(quota::Track::parse("").to_string(), "count=-1,bytes=-1");
    assert_eq!(quota::Track::parse("x,=1;bytes=many").get("bytes"), -1);
}

#[test]
fn bytes_are_dumped_as_netty_dumps_them() {
    let dump = print::hex_dump(&Some(Arc::from(&b"hello\n"[..])));
    let expected = "         +-------------------------------------------------+
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
+--------+-------------------------------------------------+----------------+
|00000000| 68 65 6c 6c 6f 0a                               |hello.          |
+--------+-------------------------------------------------+----------------+";
    assert_eq!(dump, expected);
    assert_eq!(print::hex_dump(&Some(Arc::from([]))), "");
}

#[test]
fn the_first_word_completes_to_a_command_and_a_path_needs_a_server() {
    let words = shell::Words {
        client: Weak::new(),
    };
    let (start, found) = words.offer("  get", 5);
    assert_eq!((start, found.len()), (2, 4));
    assert!(found.contains(&"getAcl".to_owned()));
    assert_eq!(words.offer("get /zoo", 8), (4, vec![]));
    assert_eq!(words.offer("get é", 5), (4, vec![]));
}

#[test]
fn every_command_is_named_once() {
    let names: Vec<&str> = commands::names().collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
    assert_eq!(names.len(), 29);
}

#[test]
fn a_word_is_a_server_only_if_it_looks_like_one() {
    for word in [
        "a:2181",
        "localhost",
        "10.0.0.1",
        "a,b",
        "[::1]:2181",
        "a:1/chroot",
    ] {
        assert!(looks_like_servers(word), "{word}");
    }
    for word in ["gett", "-s", "/a", "a:b"] {
        assert!(!looks_like_servers(word), "{word}");
    }
}

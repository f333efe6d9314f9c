//! The grammar of the file, the command line, and the errors of both.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod common;

use common::{MemoryFiles, get, load, load_with};
use ochre_config::{Config, ConfigError, Directive, FileSource as _, Loaded, SystemFiles};

/// A line and the reason of its refusal.
const BAD_LINES: &[(&str, &str)] = &[
    ("foo bar", "Bad directive or wrong number of arguments"),
    ("\"\"", "Bad directive or wrong number of arguments"),
    ("x.y 1", "Bad directive or wrong number of arguments"),
    ("include", "Bad directive or wrong number of arguments"),
    ("rename-command get", "Bad directive or wrong number of arguments"),
    ("rename-command GET \"\" x", "Bad directive or wrong number of arguments"),
    ("user", "Bad directive or wrong number of arguments"),
    ("loadmodule", "Bad directive or wrong number of arguments"),
    ("list-max-ziplist-entries", "Bad directive or wrong number of arguments"),
    ("sentinel monitor a b c d", "sentinel directive while not in sentinel mode"),
    ("port", "wrong number of arguments"),
    ("port 1 2", "wrong number of arguments"),
    ("hz 10 # ten", "wrong number of arguments"),
    ("notify-keyspace-events K E", "wrong number of arguments"),
    ("oom-score-adj-values 1 2", "wrong number of arguments"),
    ("replicaof a", "wrong number of arguments"),
    ("port \"12", "Unbalanced quotes in configuration line"),
    ("port \"28399\"x", "argument couldn't be parsed into an integer"),
    ("Port x", "argument couldn't be parsed into an integer"),
    ("slave-priority x", "argument couldn't be parsed into an integer"),
    ("hz -1", "argument must be between 0 and 2147483647 inclusive"),
    ("io-threads 257", "argument must be between 0 and 256 inclusive"),
    ("databases 0", "argument must be between 1 and 2147483647 inclusive"),
    ("unixsocketperm 999", "argument couldn't be parsed as an octal number"),
    ("unixsocketperm 1000", "argument must be between 0 and 777 inclusive"),
    ("maxmemory 1zz", "argument must be a memory value"),
    ("daemonize maybe", "argument must be 'yes' or 'no'"),
    ("enable-debug-command maybe", "argument(s) must be one of the following: no, yes, local"),
    ("supervised x", "argument(s) must be one of the following: upstart, systemd, auto, no"),
    ("save 900", "Invalid save parameters"),
    ("save 900 1 300", "Invalid save parameters"),
    ("save \"900 x\"", "Invalid save parameters"),
    ("client-output-buffer-limit normal 0 0", "Wrong number of arguments in buffer limit configuration."),
    ("replicaof a b", "Invalid master port"),
    ("slaveof 1.1.1.1 70000", "Invalid master port"),
    ("dbfilename a/b", "dbfilename can't be a path, just a filename"),
    ("appendfilename \"\"", "appendfilename can't be empty"),
    ("appenddirname a/b", "appenddirname can't be a path, just a dirname"),
    ("dir /nonexistent", "No such file or directory"),
    ("shutdown-on-sigint save nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"),
    ("bind \"a 'b\"", "Unbalanced quotes in configuration line"),
];

#[test]
fn bad_lines() {
    for (line, reason) in BAD_LINES {
        let error = load(&format!("# first\n\n  {line} \t\r\nport 1\n")).unwrap_err();
        let expected = format!(
            "\n*** FATAL CONFIG FILE ERROR (Redis 8.6.3) ***\nReading the configuration file, at line 3\n>>> '{line}'\n{reason}"
        );
        assert_eq!(error.report("Redis", "8.6.3").to_string(), expected);
    }
}

/// A text, a directive, and what CONFIG GET shows after loading.
const GOOD_TEXTS: &[(&str, &str, &str)] = &[
    ("PORT 1\nport 2", "port", "2"),
    ("\"port\" '3'", "port", "3"),
    ("po\"rt\" 3", "port", "3"),
    ("\0\nport 3\0 junk", "port", "3"),
    ("port 3\r\n# port 4\r\n", "port", "3"),
    ("requirepass \"a b\\x00\\n\"", "requirepass", "a b\0\n"),
    ("requirepass #secret", "requirepass", "#secret"),
    ("save 900 1", "save", "900 1"),
    ("save 900 1\nsave 300 10", "save", "900 1 300 10"),
    ("save 900 1 300 10", "save", "900 1 300 10"),
    ("save \"900 1 300 10\"", "save", "900 1 300 10"),
    ("save \"\"", "save", ""),
    ("save", "save", ""),
    ("save 900 1\nsave \"\"", "save", ""),
    ("save \"\"\nsave 60 1", "save", "60 1"),
    ("hz 99999", "hz", "500"),
    ("unixsocketperm 0770", "unixsocketperm", "770"),
    ("bind", "bind", ""),
    ("bind \"\"", "bind", ""),
    ("bind 10.0.0.1 -::1", "bind", "10.0.0.1 -::1"),
    ("bind \"10.0.0.1 -::1\"", "bind", "10.0.0.1 -::1"),
    ("replicaof example 6379", "slaveof", "example 6379"),
    ("replicaof example 6379\nreplicaof NO ONE", "replicaof", ""),
    ("notify-keyspace-events \"\"", "notify-keyspace-events", ""),
    ("shutdown-on-sigterm nosave now", "shutdown-on-sigterm", "nosave now"),
    ("shutdown-on-sigterm \"nosave now\"", "shutdown-on-sigterm", "nosave now"),
    (
        "client-output-buffer-limit normal 1mb 0 0\nclient-output-buffer-limit slave 2mb 0 0",
        "client-output-buffer-limit",
        "normal 1048576 0 0 slave 2097152 0 0 pubsub 33554432 8388608 60",
    ),
    ("key-memory-histograms yes", "key-memory-histograms", "yes"),
    ("dir sub", "dir", "/start/sub"),
    ("include extra.conf\nport 5", "port", "5"),
    ("port 5\ninclude extra.conf", "port", "4"),
    ("include conf.d/*.conf", "hz", "30"),
    ("include nothing*.conf", "hz", "10"),
    ("dir sub\ninclude here.conf", "timeout", "7"),
];

fn files() -> MemoryFiles {
    MemoryFiles::new(&[
        ("/start/extra.conf", "port 4"),
        ("/start/conf.d/10.conf", "hz 20"),
        ("/start/conf.d/20.conf", "hz 30"),
        ("/start/sub/here.conf", "timeout 7"),
        ("/start/bad.conf", "port 1\nport x\n"),
        ("/start/self.conf", "include self.conf\n"),
        ("/start/main.conf", "port 4\nhz 20"),
    ])
}

#[test]
fn good_texts() {
    for (text, name, expected) in GOOD_TEXTS {
        let (config, _) = load_with(text, &files()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(get(&config, name), *expected, "{text:?}");
    }
}

#[test]
fn included_files_fail_with_their_own_line() {
    let error = load_with("\n\ninclude bad.conf", &files()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Reading the configuration file, at line 2\n>>> 'port x'\nargument couldn't be parsed into an integer"
    );
    let error = load_with("include none.conf", &files()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Fatal error, can't open config file 'none.conf': No such file or directory"
    );
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let error = load_with("include self.conf", &files()).unwrap_err();
    assert!(error.to_string().ends_with("include directives are nested too deeply"), "{error}");
    let many = "include extra.conf\n".repeat(1001);
    let error = load_with(&many, &files()).unwrap_err();
    assert!(error.to_string().ends_with("Too many included files"), "{error}");
}

#[test]
fn the_whole_must_make_sense() {
    let cases = [
        ("cluster-enabled yes\nreplicaof a 1", "replicaof directive not allowed in cluster mode"),
        ("logfile /nowhere/log", "Can't open the log file: No such file or directory"),
    ];
    for (text, reason) in cases {
        let error = load(text).unwrap_err();
        let expected = format!("\n*** FATAL CONFIG FILE ERROR (Ochre 1) ***\n{reason}");
        assert_eq!(error.report("Ochre", "1").to_string(), expected);
    }
    assert!(load("logfile log").is_ok());
}

#[test]
fn statements_of_other_parts_are_handed_over() {
    let text = "user alice on >pw ~*\nrename-command FLUSHALL \"\"\nloadmodule /m.so a b\nsentinel\nuser bob";
    let (_, loaded) = load(text).unwrap();
    let args = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!(loaded.users[0].args, args(&["alice", "on", ">pw", "~*"]));
    assert_eq!(loaded.users[1].args, args(&["bob"]));
    assert_eq!(loaded.renames[0].args, args(&["FLUSHALL", ""]));
    assert_eq!(loaded.modules[0].args, args(&["/m.so", "a", "b"]));
    let error = loaded.renames[0].origin.error("No such command in rename-command");
    assert_eq!(
        error.to_string(),
        "Reading the configuration file, at line 2\n>>> 'rename-command FLUSHALL \"\"'\nNo such command in rename-command"
    );
}

#[test]
fn sentinel_lines_are_handed_over_in_sentinel_mode() {
    let mut config = Config::new();
    let loaded = config.load_text(b"sentinel monitor m 10.0.0.1 6379 2", true, &files()).unwrap();
    assert_eq!(loaded.sentinel_lines[0].args.len(), 5);
    assert!(loaded.sentinel);
}

#[test]
fn what_has_no_effect_is_named_once() {
    let text =
        "activedefrag yes\nactivedefrag no\nmptcp yes\nlua-replicate-commands no\nlua-replicate-commands no";
    let (_, loaded) = load(text).unwrap();
    assert_eq!(loaded.ignored, [Directive::Activedefrag, Directive::Mptcp]);
    assert_eq!(loaded.withdrawn, ["lua-replicate-commands"]);
}

fn load_args(args: &[&str], stdin: &str) -> (Config, Result<Loaded, ConfigError>) {
    let mut config = Config::new();
    let mut read = || Ok(stdin.as_bytes().to_vec());
    let result = config.load_args(args, false, &mut read, &files());
    (config, result)
}

#[test]
fn command_lines() {
    let cases: &[(&[&str], &str, &str, &str)] = &[
        (&["--port", "7"], "", "port", "7"),
        (&["--PORT", "7"], "", "port", "7"),
        (&["--port 7"], "", "port", "7"),
        (&["--port 7", "--hz", "20"], "", "hz", "20"),
        (&["main.conf"], "", "port", "4"),
        (&["main.conf", "--port", "7"], "", "port", "7"),
        (&["main.conf", "-"], "port 8", "port", "8"),
        (&["main.conf", "--port", "9", "-"], "port 8", "port", "9"),
        (&["-", "--hz", "11"], "port 8\nhz 12", "hz", "11"),
        (&["-"], "port 8", "port", "8"),
        (&["--save"], "", "save", ""),
        (&["--save", "--hz", "10"], "", "save", ""),
        (&["--save", "900", "1", "300", "10"], "", "save", "900 1 300 10"),
        (&["--save", "3600", "1", "--save", ""], "", "save", ""),
        (&["--save", "", "--save", "60", "1"], "", "save", "60 1"),
        (&["--save", "900 1"], "", "save", "900 1"),
        (&["--requirepass", "--secret"], "", "requirepass", "--secret"),
        (&["--requirepass", "a b\"c"], "", "requirepass", "a b\"c"),
        (&["--bind", "10.0.0.1", "::1", "--hz", "20"], "", "bind", "10.0.0.1 ::1"),
        (&["--sentinel", "--port", "7"], "", "port", "7"),
        (&["--port", "7", "--sentinel"], "", "port", "7"),
        (&[], "", "port", "6379"),
    ];
    for (args, stdin, name, expected) in cases {
        let (config, result) = load_args(args, stdin);
        let loaded = result.unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert_eq!(get(&config, name), *expected, "{args:?}");
        assert_eq!(loaded.sentinel, args.contains(&"--sentinel"));
        let file = args.first().filter(|arg| !arg.starts_with('-'));
        assert_eq!(loaded.config_file, file.map(|name| format!("/start/{name}").into()));
        assert_eq!(get(&config, "dir"), "/start");
    }
}

#[test]
fn bad_command_lines() {
    const BAD: &str = "Bad directive or wrong number of arguments";
    const INTEGER: &str = "argument couldn't be parsed into an integer";
    const COUNT: &str = "wrong number of arguments";
    let cases: &[(&[&str], &str, usize, &str, &str)] = &[
        (&["--port"], "", 2, "port", COUNT),
        (&["--port", "x"], "", 2, "port \"x\"", INTEGER),
        (&["--port", "1", "--foo", "bar"], "", 3, "foo \"bar\"", BAD),
        (&["--port 1", "--hz x"], "", 3, "hz x", INTEGER),
        (&["--port", "1", "--hz", "--hz"], "", 3, "hz \"--hz\"", INTEGER),
        (&["--port", "1", "foo"], "", 2, "port \"1\" \"foo\"", COUNT),
        (&["--port", "1", "--", "x"], "", 3, "\"x\"", BAD),
        (&["--port", "1", "-", "--hz", "x"], "", 2, "port \"1\" \"-\"", COUNT),
        (&["--port=1"], "", 2, "port=1", BAD),
        (&["-port", "5"], "", 2, "\"-port\" \"5\"", BAD),
        (&["main.conf", "-", "--hz", "y"], "", 3, "\"-\"", BAD),
        (&["-", "--port", "1"], "hz x\n", 1, "hz x", INTEGER),
        (&["main.conf", "--hz", "x"], "", 3, "hz \"x\"", INTEGER),
        (&["main.conf", "-"], "hz x\n", 3, "hz x", INTEGER),
        (&["--dir", "/nonexistent"], "", 2, "dir \"/nonexistent\"", "No such file or directory"),
    ];
    for (args, stdin, number, text, reason) in cases {
        let expected = ConfigError::Line {
            number: *number,
            text: text.as_bytes().to_vec(),
            reason: (*reason).to_owned(),
        };
        assert_eq!(load_args(args, stdin).1.unwrap_err(), expected, "{args:?}");
    }
    let error = load_args(&["none.conf"], "").1.unwrap_err();
    assert_eq!(
        error.report("Ochre", "1").to_string(),
        "Fatal error, can't open config file '/start/none.conf': No such file or directory"
    );
}

#[test]
fn an_unreadable_standard_input_is_an_error() {
    let mut fail = || Err(std::io::Error::from_raw_os_error(5));
    let error = Config::new().load_args(&["-"], false, &mut fail, &files()).unwrap_err();
    assert_eq!(error.to_string(), "Fatal error, can't open config file 'stdin': Input/output error");
}

#[test]
fn the_real_file_system_expands_patterns() {
    let root = std::env::temp_dir().join(format!("ochre-config-test-{}", std::process::id()));
    for (dir, file) in
        [("conf.d", "b.conf"), ("conf.d", "a.conf"), ("conf.d", ".hidden.conf"), ("other.d", "c.conf")]
    {
        std::fs::create_dir_all(root.join(dir)).unwrap();
        std::fs::write(root.join(dir).join(file), "hz 20\n").unwrap();
    }
    let expand = |pattern: &str| -> Vec<String> {
        let found = SystemFiles.expand(&root.join(pattern)).unwrap();
        found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()).collect()
    };
    let cases: &[(&str, &[&str])] = &[
        ("conf.d/*.conf", &["conf.d/a.conf", "conf.d/b.conf"]),
        ("*.d/[!a].conf", &["conf.d/b.conf", "other.d/c.conf"]),
        ("conf.d/.*", &["conf.d/.hidden.conf"]),
        ("*/c.conf", &["other.d/c.conf"]),
        ("none/*", &[]),
        ("conf.d/a.conf/*", &[]),
    ];
    let results: Vec<_> = cases.iter().map(|(pattern, _)| expand(pattern)).collect();
    let text = SystemFiles.read(&root.join("conf.d/a.conf")).unwrap();
    let probed = SystemFiles.probe_append(&root.join("log")).is_ok() && root.join("log").exists();
    std::fs::remove_dir_all(&root).unwrap();
    for ((pattern, expected), found) in cases.iter().zip(results) {
        assert_eq!(found, *expected, "{pattern}");
    }
    assert_eq!(text, b"hz 20\n");
    assert!(probed && SystemFiles.absolute("x".as_ref()).unwrap().is_absolute());
}

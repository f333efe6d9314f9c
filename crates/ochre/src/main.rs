//! The one binary behind every name.
//!
//! What it does is decided by the name it is called with (`ochre-server`, `redis-server`, `valkey-server`,
//! `ochre-benchmark`, ...) or, as plain `ochre`, by its first argument; without one it is the server.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use ochre_persist::check_aof;

#[global_allocator]
static ALLOCATOR: ochre_memory::Counted = ochre_memory::Counted;

/// The tools, by the word that chooses them, with what they are for.
const TOOLS: &[(&str, Tool, &str)] = &[
    ("server", Tool::Server, "the server; also without any word"),
    ("benchmark", Tool::Benchmark, "measures a server under load"),
    ("cli", Tool::Missing("cli"), "a client for the command line"),
    ("sentinel", Tool::Missing("sentinel"), "watches servers and promotes replicas"),
    ("check-rdb", Tool::CheckRdb, "checks a snapshot"),
    ("check-aof", Tool::CheckAof, "checks an append-only file, and cuts off what is damaged"),
];

/// What the binary can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tool {
    Server,
    Benchmark,
    CheckRdb,
    CheckAof,
    /// A tool that is not there yet, by its name.
    Missing(&'static str),
}

impl Tool {
    /// The tool of a word after `ochre-`, `redis-` or `valkey-`.
    fn from_word(word: &str) -> Option<Tool> {
        TOOLS.iter().find(|(name, ..)| *name == word).map(|(_, tool, _)| *tool)
    }

    /// The tool of a file name.
    fn from_name(name: &str) -> Option<Tool> {
        ["ochre-", "redis-", "valkey-"].iter().find_map(|prefix| Tool::from_word(name.strip_prefix(prefix)?))
    }
}

/// The tool, its name and its arguments.
fn choose(mut arguments: Vec<OsString>) -> (Tool, String, Vec<OsString>) {
    let program = if arguments.is_empty() { OsString::new() } else { arguments.remove(0) };
    let name =
        Path::new(&program).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    if let Some(tool) = Tool::from_name(&name) {
        return (tool, program.to_string_lossy().into_owned(), arguments);
    }
    let first = arguments.first().and_then(|first| first.to_str()).and_then(Tool::from_word);
    if let Some(tool) = first {
        let word = arguments.remove(0);
        return (tool, format!("{} {}", program.to_string_lossy(), word.to_string_lossy()), arguments);
    }
    (Tool::Server, program.to_string_lossy().into_owned(), arguments)
}

/// What else this program is, for whoever asks the server for help.
fn describe_tools() -> String {
    let mut text = "\nThis program is several tools. The name it is called with chooses one (ochre-TOOL, also redis-TOOL and\n\
                    valkey-TOOL), or the first word behind `ochre`:\n"
        .to_owned();
    for (word, tool, purpose) in TOOLS {
        let yet = if matches!(tool, Tool::Missing(_)) { " (not in this version)" } else { "" };
        text += &format!("       ochre {word:<10} {purpose}{yet}\n");
    }
    text
}

/// The first argument, where it looks like the name of a tool that there is not: the server takes it for its configuration.
fn unknown_tool(arguments: &[OsString]) -> Option<&str> {
    let word = arguments.first()?.to_str()?;
    let is_name = word.starts_with(|first: char| first.is_ascii_lowercase()) && !word.contains(['/', '.']);
    (is_name && !Path::new(word).exists()).then_some(word)
}

/// What is said of a tool that is not there yet. Sentinel is no matter of another program: there are no replicas yet that could
/// take over.
fn missing(name: &str, word: &str) -> String {
    let instead = match word {
        "sentinel" => "no version of Sentinel can fail Ochre over, as there are no replicas yet".to_owned(),
        _ => format!("redis-{word} and valkey-{word} work with it"),
    };
    format!("'{name}' is not part of this version of Ochre yet; {instead}.")
}

/// Whether the server is asked for help.
fn asks_for_help(arguments: &[OsString]) -> bool {
    arguments.first().is_some_and(|first| first == "-h" || first == "--help")
}

fn main() -> ExitCode {
    let (tool, name, arguments) = choose(ochre_server::arguments());
    match tool {
        Tool::Server => {
            let unknown = unknown_tool(&arguments);
            let code = ochre_server::serve(&name, &arguments);
            if let Some(word) = unknown {
                eprintln!("No tool is called '{word}' either: see {name} --help.");
            }
            if asks_for_help(&arguments) {
                eprint!("{}", describe_tools());
            }
            code
        }
        Tool::Benchmark => ochre_benchmark::main(arguments),
        Tool::CheckRdb => ochre_persist::rdb::check::main(&name, &arguments),
        Tool::CheckAof => check_aof::main(&name, &arguments, &mut check_aof::CheckBegin),
        Tool::Missing(word) => {
            eprintln!("{}", missing(&name, word));
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_tool() {
        let text = describe_tools();
        assert!(TOOLS.iter().all(|(word, ..)| text.contains(&format!("ochre {word} "))), "{text}");
        assert!(asks_for_help(&["--help".into()]) && !asks_for_help(&["--port".into(), "--help".into()]));
    }

    #[test]
    fn what_is_not_there_yet_promises_nothing() {
        let text = missing("ochre sentinel", "sentinel");
        assert!(text.contains("not part of this version") && !text.contains("work with it"), "{text}");
        assert!(missing("ochre-cli", "cli").ends_with("redis-cli and valkey-cli work with it."));
    }

    #[test]
    fn a_word_that_is_no_tool_is_told_from_a_file() {
        let unknown = |word: &str| unknown_tool(&[word.into()]).map(str::to_owned);
        assert_eq!(unknown("nonsense"), Some("nonsense".to_owned()));
        for word in ["--port", "-", "ochre.conf", "/etc/ochre", "src"] {
            assert_eq!(unknown(word), None, "{word}");
        }
        assert_eq!(unknown_tool(&[]), None);
    }

    #[test]
    fn names_and_words_choose_the_tool() {
        let cases: [(&[&str], Tool, usize); 9] = [
            (&["/usr/bin/ochre"], Tool::Server, 0),
            (&["ochre", "--port", "1"], Tool::Server, 2),
            (&["ochre", "server", "x.conf"], Tool::Server, 1),
            (&["/opt/redis-server", "server"], Tool::Server, 1),
            (&["valkey-benchmark", "-n", "1"], Tool::Benchmark, 2),
            (&["ochre", "benchmark"], Tool::Benchmark, 0),
            (&["redis-check-rdb", "dump.rdb"], Tool::CheckRdb, 1),
            (&["ochre-cli"], Tool::Missing("cli"), 0),
            (&["redis-check-aof", "--fix", "x"], Tool::CheckAof, 2),
        ];
        for (words, tool, rest) in cases {
            let (chosen, _, arguments) = choose(words.iter().map(OsString::from).collect());
            assert_eq!((chosen, arguments.len()), (tool, rest), "{words:?}");
        }
    }
}

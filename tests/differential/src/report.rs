//! Differences in words, and the classes they fall into.

use crate::pair::Difference;
use crate::text;

/// The class of a difference: command, and both replies without what varies (numbers and quoted text).
///
/// Two differences of one class have, as a rule, one cause.
pub fn signature(difference: &Difference) -> String {
    let unknown = |reply: &[u8]| reply.starts_with(b"-ERR unknown command");
    // The name of an unknown command is as random as its arguments.
    let head = if unknown(&difference.ours) && unknown(&difference.theirs) {
        "(any)".to_owned()
    } else {
        head(&difference.question)
    };
    format!("{head} | {} | {}", outline(&difference.ours), outline(&difference.theirs))
}

/// The name of a command, with the subcommand of the containers, in upper case.
fn head(question: &str) -> String {
    let words: Vec<String> = question.split(' ').take(3).map(str::to_ascii_uppercase).collect();
    let containers = [
        "CONFIG",
        "CLIENT",
        "OBJECT",
        "COMMAND",
        "STATE",
        "MEMORY",
        "SLOWLOG",
        "LATENCY",
        "ACL",
        "COMMANDLOG",
    ];
    let kept = match words.first().map(String::as_str) {
        Some("STATE") if words.get(1).is_some_and(|word| word == "OBJECT") => 3,
        Some(name) if containers.contains(&name) => 2,
        _ => 1,
    };
    words[..kept.min(words.len())].join(" ")
}

/// Errors keep their words; of other replies the kind is enough.
fn outline(reply: &[u8]) -> String {
    let line = reply.split(|&byte| byte == b'\r').next().unwrap_or_default();
    match line.first() {
        Some(b'-') => without_details(&String::from_utf8_lossy(line)),
        Some(b'(') => text::shorten(&String::from_utf8_lossy(line), 30),
        Some(b'$' | b'*') if line.starts_with(b"$-1") || line.starts_with(b"*-1") => "null".to_owned(),
        Some(b'+') => String::from_utf8_lossy(line).into_owned(),
        Some(kind) => (*kind as char).to_string(),
        None => "nothing".to_owned(),
    }
}

/// An error text without digits and without what it quotes.
fn without_details(line: &str) -> String {
    let unquoted: Vec<&str> = line.split('\'').step_by(2).collect();
    unquoted.join("'..'").chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// A difference for a person to read.
pub fn describe(difference: &Difference) -> String {
    let show = |reply: &[u8]| text::shorten(&text::escape(reply), 600);
    format!(
        "  asked:  {}\n  ours:   {}\n  theirs: {}\n",
        text::shorten(&difference.question, 600),
        show(&difference.ours),
        show(&difference.theirs)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(question: &str, ours: &str, theirs: &str) -> String {
        signature(&Difference {
            step: 0,
            question: question.to_owned(),
            ours: ours.into(),
            theirs: theirs.into(),
        })
    }

    #[test]
    fn classes_forget_details() {
        let quoted = |word: &str| format!("-ERR unknown command '{word}'\r\n");
        assert_eq!(class("get a", &quoted("a"), ":1\r\n"), class("GET b", &quoted("b"), ":22\r\n"));
        assert_ne!(class("get a", "-ERR a\r\n", ":1\r\n"), class("get a", "-ERR b\r\n", ":1\r\n"));
        assert_ne!(class("config get a", "$1\r\n", "$-1\r\n"), class("config set a", "$1\r\n", "$-1\r\n"));
    }
}

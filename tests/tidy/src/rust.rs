//! Rules for Rust files. They read lines, not syntax: the code is formatted, so lines say enough.

use crate::exceptions::Exceptions;
use crate::tree::SourceFile;

/// Lines of a file of product code, its tests included.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function, its signature included.
const FUNCTION_LINES_MAX: usize = 70;
/// How far above an `unsafe` its argument may begin.
const SAFETY_LINES_MAX: usize = 12;

pub(crate) fn check(file: &SourceFile, exceptions: &Exceptions, found: &mut Vec<String>) {
    if !file.path.ends_with(".rs") {
        return;
    }
    check_docs(file, found);
    if file.is_test() {
        return;
    }
    check_unwrap(file, found);
    check_unsafe(file, exceptions, found);
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX && !exceptions.allow(&format!("file {}", file.path), lines) {
        found.push(format!("{}: {lines} lines; does it hold one idea?", file.path));
    }
    for (number, name, lines) in functions(&file.text) {
        if lines > FUNCTION_LINES_MAX && !exceptions.allow(&format!("function {} {name}", file.path), lines) {
            found.push(format!("{}:{number}: {name} has {lines} lines", file.path));
        }
    }
}

fn check_docs(file: &SourceFile, found: &mut Vec<String>) {
    if !file.text.starts_with("//!") && !file.text.starts_with("#!/") {
        found.push(format!("{}: begins without saying what it is about", file.path));
    }
}

fn check_unwrap(file: &SourceFile, found: &mut Vec<String>) {
    for (number, line) in file.product_lines() {
        if code(line).contains(concat!(".unwrap", "()")) {
            found.push(format!("{}:{number}: unwrap in product code", file.path));
        }
    }
}

fn check_unsafe(file: &SourceFile, exceptions: &Exceptions, found: &mut Vec<String>) {
    let lines: Vec<&str> = file.text.lines().collect();
    let uses = (0..lines.len()).filter(|at| is_unsafe(code(lines[*at])));
    for at in uses {
        if !exceptions.allow(&format!("unsafe {}", file.path), 0) {
            found.push(format!("{}:{}: unsafe outside the listed modules", file.path, at + 1));
        }
        let above = &lines[at.saturating_sub(SAFETY_LINES_MAX)..=at];
        if !above.iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety")) {
            found.push(format!("{}:{}: unsafe without its argument", file.path, at + 1));
        }
    }
}

/// Whether the line opens something unsafe (and does not merely name a lint).
fn is_unsafe(code: &str) -> bool {
    let keyword = concat!("un", "safe");
    ["{", "fn", "impl", "extern", "trait"].iter().any(|next| code.contains(&format!("{keyword} {next}")))
}

/// The line without its comment and without what stands in quotes.
fn code(line: &str) -> &str {
    let end = line.find("//").unwrap_or(line.len());
    let quote = line.find('"').unwrap_or(line.len());
    &line[..end.min(quote)]
}

/// Line number, name and length of every function that has a body.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let start = |at: &usize| function_name(lines[*at]).map(|name| (*at, name));
    (0..lines.len())
        .filter_map(|at| start(&at))
        .filter_map(|(at, name)| Some((at + 1, name, length(&lines[at..])?)))
        .collect()
}

fn function_name(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.contains('=')).collect();
    let at = words.iter().position(|word| *word == "fn")?;
    let qualifier = |word: &&str| {
        word.starts_with("pub")
            || word.starts_with("in")
            || matches!(*word, "const" | "async" | "unsafe" | "extern" | "\"C\"")
    };
    let name = words.get(at + 1)?.split(['(', '<']).next()?;
    words[..at].iter().all(qualifier).then(|| name.to_owned())
}

/// The lines of the function that begins here: formatted code ends it with a brace at its own indentation.
fn length(lines: &[&str]) -> Option<usize> {
    let indentation = &lines[0][..lines[0].len() - lines[0].trim_start().len()];
    let opened =
        lines.iter().position(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'))?;
    if !lines[opened].ends_with('{') {
        return None;
    }
    let end = format!("{indentation}}}");
    lines[opened..].iter().position(|line| *line == end).map(|after| opened + after + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str, exceptions: &str) -> Vec<String> {
        let mut found = Vec::new();
        let exceptions = Exceptions::parse(exceptions).unwrap();
        check(&SourceFile { path: path.to_owned(), text: text.to_owned() }, &exceptions, &mut found);
        found.extend(exceptions.unused());
        found
    }

    #[test]
    fn each_rule_finds_and_forgives() {
        let long = format!("//! x\npub fn f(\n    a: u8,\n) {{\n{}}}\n", "    g();\n".repeat(70));
        let bare = "//! x\nfn f() {\n    un\u{73}afe { g() }\n}\n";
        let argued = "//! x\nfn f() {\n    // SAFETY: because.\n    un\u{73}afe { g() }\n}\n";
        for (path, text, exceptions, count) in [
            ("crates/a/src/lib.rs", "//! x\n", "", 0),
            ("crates/a/src/lib.rs", "mod x;\n", "", 1),
            ("crates/a/src/lib.rs", "//! x\nfn f() { g().unwrap() }\n", "", 1),
            (
                "crates/a/src/lib.rs",
                "//! x\n// g().unwrap()\n#[cfg(test)]\nmod t { fn f() { g().unwrap() } }\n",
                "",
                0,
            ),
            ("crates/a/tests/b.rs", "//! x\nfn f() { g().unwrap() }\n", "", 0),
            ("tests/a/src/lib.rs", "//! x\nfn f() { g().unwrap() }\n", "", 1),
            ("crates/a/src/lib.rs", long.as_str(), "", 1),
            ("crates/a/src/lib.rs", long.as_str(), "function crates/a/src/lib.rs f 74: a table\n", 0),
            ("crates/a/src/lib.rs", long.as_str(), "function crates/a/src/lib.rs f 73: a table\n", 1),
            ("crates/a/src/lib.rs", "//! x\n", "function crates/a/src/lib.rs f 100: a table\n", 1),
            ("crates/a/src/lib.rs", bare, "", 2),
            ("crates/a/src/lib.rs", argued, "", 1),
            ("crates/a/src/lib.rs", argued, "unsafe crates/a/src/lib.rs: a leaf\n", 0),
            ("crates/a/src/lib.rs", "//! x\n", "unsafe crates/a/src/lib.rs: a leaf\n", 1),
        ] {
            let found = findings(path, text, exceptions);
            assert_eq!(found.len(), count, "{text} {exceptions} {found:?}");
        }
    }

    #[test]
    fn functions_are_measured() {
        let text = "fn a() {}\nfn b();\n    pub(crate) const fn c() {\n        x\n    }\nlet f = fn_x;\nfn d<T>(\n    t: T,\n) -> T {\n    t\n}\n";
        assert_eq!(functions(text), [(3, "c".to_owned(), 3), (7, "d".to_owned(), 5)]);
    }
}

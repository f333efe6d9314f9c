//! Rules for Cargo.toml: layers, documented crates, and a reason for every dependency.

use crate::tree::SourceFile;

/// The layers, lowest first. A crate may use crates of lower layers only.
const LAYERS: &[&[&str]] = &[
    &["table", "memory"],
    &["types"],
    &["resp"],
    &["persist"],
    &["config", "acl"],
    &["keyspace", "script"],
    &["engine"],
    &["server", "benchmark"],
    &["ochre"],
];

pub(crate) fn check(files: &[SourceFile], found: &mut Vec<String>) {
    for file in files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        if file.path == "Cargo.toml" {
            check_reasons(file, found);
        } else {
            check_crate(file, found);
            check_layers(file, found);
        }
    }
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

/// Names and values of the entries of every section whose heading ends with `dependencies`, with what stands above.
fn dependencies(text: &str) -> Vec<(&str, &str, &str)> {
    let (mut inside, mut above, mut entries) = (false, "", Vec::new());
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside && !line.starts_with('#'))
        {
            entries.push((name.trim(), value.trim(), above));
        }
        above = line;
    }
    entries
}

fn check_reasons(file: &SourceFile, found: &mut Vec<String>) {
    for (name, value, above) in dependencies(&file.text) {
        if !value.contains("path =") && !above.starts_with('#') {
            found.push(format!("{}: {name} has no comment above it that says why it is needed", file.path));
        }
    }
}

fn check_crate(file: &SourceFile, found: &mut Vec<String>) {
    // The fuzzer's crate is outside the workspace: it needs another toolchain.
    if file.path.starts_with("fuzz/") {
        return;
    }
    if !file.text.lines().any(|line| line.starts_with("description = ") && line.len() > 20) {
        found.push(format!("{}: no description", file.path));
    }
    if !file.text.contains("[lints]\nworkspace = true") {
        found.push(format!("{}: does not take the lints of the workspace", file.path));
    }
    for (name, value, _) in dependencies(&file.text) {
        let shared =
            name.ends_with(".workspace") || value.contains("workspace = true") || value.contains("path =");
        if !shared {
            found.push(format!("{}: {name} belongs in the workspace's list, with its reason", file.path));
        }
    }
}

fn check_layers(file: &SourceFile, found: &mut Vec<String>) {
    let Some(name) = file.path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml"))
    else {
        return;
    };
    let Some(own) = layer(name) else {
        found.push(format!("{}: the crate has no layer; give it one in the tidy test", file.path));
        return;
    };
    for (dependency, _, _) in dependencies(&file.text) {
        let Some(used) = dependency.split('.').next().and_then(|name| name.strip_prefix("ochre-")) else {
            continue;
        };
        if layer(used).is_none_or(|used| used >= own) {
            found.push(format!("{}: {name} must not use {used}, which is no lower layer", file.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "description = \"Something worth saying\"\n[lints]\nworkspace = true\n[dependencies]\n";

    fn findings(path: &str, text: &str) -> usize {
        let mut found = Vec::new();
        check(&[SourceFile { path: path.to_owned(), text: text.to_owned() }], &mut found);
        found.len()
    }

    #[test]
    fn each_rule_finds() {
        let with = |line: &str| format!("{GOOD}{line}\n");
        for (path, text, count) in [
            ("crates/engine/Cargo.toml", with("ochre-keyspace.workspace = true"), 0),
            ("crates/engine/Cargo.toml", with("ochre-server.workspace = true"), 1),
            ("crates/keyspace/Cargo.toml", with("ochre-keyspace = { path = \"x\" }"), 1),
            ("crates/new/Cargo.toml", with(""), 1),
            ("crates/engine/Cargo.toml", with("libc = \"0.2\""), 1),
            ("crates/engine/Cargo.toml", "[lints]\nworkspace = true\n".to_owned(), 1),
            ("crates/engine/Cargo.toml", "description = \"Something worth saying\"\n".to_owned(), 1),
            ("Cargo.toml", "[workspace.dependencies]\n# Why.\nlibc = \"0.2\"\n".to_owned(), 0),
            ("Cargo.toml", "[workspace.dependencies]\n\nlibc = \"0.2\"\n".to_owned(), 1),
            ("Cargo.toml", "[workspace.dependencies]\nochre-x = { path = \"x\" }\n".to_owned(), 0),
        ] {
            assert_eq!(findings(path, &text), count, "{path} {text}");
        }
    }
}

//! Where the binary under test is.
//!
//! `OCHRE_BIN` names it. Without that it is built by cargo, with the profile and into the folder of the test at hand, so
//! that `cargo test` never runs an old server: cargo itself builds a package's binaries only for tests of that package.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the whole project.
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in a folder of the project")
}

/// The binary under test, built first if need be.
pub fn ochre() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("OCHRE_BIN") {
        // A relative path is meant from where the project is: cargo runs tests in the folder of their package.
        Some(path) => workspace_root().join(path),
        None => build(),
    })
}

fn build() -> PathBuf {
    let program = std::env::current_exe().expect("a test has a path");
    let folders: Vec<&Path> = program.ancestors().skip(1).collect();
    // target/PROFILE/deps/test, or target/PROFILE/program.
    let at = usize::from(folders.first().is_some_and(|folder| folder.ends_with("deps")));
    let profile_folder = folders.get(at).expect("the test is in a profile's folder");
    let target = folders.get(at + 1).expect("the profile's folder is in a target folder");
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    eprintln!("Building the server (OCHRE_BIN=PATH takes one that is there) ...");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "ochre", "--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(workspace_root())
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the server could not be built");
    profile_folder.join("ochre")
}

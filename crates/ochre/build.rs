//! Asks the linker to put a hash of what it links into the binary: INFO and the log show it, debuggers go by it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let has_notes = ["linux", "android", "freebsd"];
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| has_notes.contains(&system.as_str())) {
        println!("cargo::rustc-link-arg-bins=-Wl,--build-id=sha1");
    }
}

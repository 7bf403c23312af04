//! What `deploy/` holds is tried with the programs that it is for, where this machine has them.

mod balancer;
mod scraping;
mod settings;
mod units;
mod watching;

use std::{
    io::ErrorKind,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// A file of `deploy/`.
fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path).canonicalize().unwrap()
}

/// The text of a file of `deploy/`.
fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap()
}

/// A program; None, with a line that says so, where this machine does not have it.
fn program(name: &str) -> Option<Command> {
    // Debian has HAProxy where only root's PATH leads.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let found =
        Command::new(name).env("PATH", &path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        println!("SKIPPED: there is no {name} on this machine");
        return None;
    }
    let mut command = Command::new(name);
    command.env("PATH", path);
    Some(command)
}

/// What a program said, which must have ended well.
#[track_caller]
fn good(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{said}");
    said
}

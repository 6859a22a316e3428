//! The binary itself, as a shell sees it.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

mod audit;
mod certs;
mod check;
mod client;
mod config;
mod gateway;
mod people;
mod shell;

/// Runs `creditgate` in a folder, without input and with none of our environment.
pub(crate) fn creditgate(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_creditgate"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs it, expects an exit code, and gives what it printed to standard output.
#[track_caller]
pub(crate) fn expect(folder: &Path, code: i32, line: &str) -> String {
    let arguments: Vec<_> = line.split_whitespace().collect();
    let output = creditgate(folder, &arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it, expects a failure with that code, and gives what it complained of.
#[track_caller]
pub(crate) fn complaint(folder: &Path, code: i32, line: &str) -> String {
    let arguments: Vec<_> = line.split_whitespace().collect();
    let output = creditgate(folder, &arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}: {errors}");
    errors
}

/// Writes a `creditgate.toml` that tells only where the gateway listens, with
/// `ca.pem` as its authority.
pub(crate) fn configure(folder: &Path, address: &str) {
    let text = format!("[client]\naddress = \"{address}\"\nca = \"ca.pem\"\n");
    fs::write(folder.join("creditgate.toml"), text).unwrap();
}

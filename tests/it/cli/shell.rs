//! What every command has in common.

use super::{complaint, expect};

#[test]
fn exit_codes_say_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (code, line) in [
        (0, "--version"),
        (0, "certs --help"),
        (1, "certs client --ca nowhere --name a --out a"),
        (2, ""),
        (2, "no-such-command"),
        (2, "certs ca --name a"),
    ] {
        expect(folder, code, line);
    }
}

#[test]
fn an_error_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let said = complaint(
        folder.path(),
        1,
        "certs client --ca nowhere --name a --out a",
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("creditgate: cannot read nowhere-key.pem: "),
        "{said}"
    );
}

#[test]
fn help_lists_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let help = expect(folder.path(), 0, "--help");
    assert!(help.contains("Exit codes:\n  0  done\n"), "{help}");
}

#[test]
fn every_shell_gets_a_script() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, sign) in [
        ("bash", "complete -F _creditgate"),
        ("fish", "complete -c creditgate"),
        ("zsh", "#compdef creditgate"),
    ] {
        let script = expect(folder.path(), 0, &format!("completions {shell}"));
        assert!(script.contains(sign), "{shell}");
        assert!(script.contains("certs"), "{shell}");
    }
}

//! `creditgate config check`.

use std::fs;

use serde_json::Value;

use super::{complaint, expect};

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = "profile = \"demo\"\n\
                [database]\n\
                address = \"mysql:x\"\n\
                colour = 1\n\
                [audit]\n\
                origin = \"log.test\"\n\
                key = 7\n";
    fs::write(folder.path().join("wrong.toml"), text).unwrap();
    let said = complaint(folder.path(), 2, "config check --config wrong.toml");
    assert!(
        said.starts_with("creditgate: wrong.toml is not a good configuration\n"),
        "{said}"
    );
    for expected in [
        "  line 3: database.address: ",
        "  line 4: database.colour: ",
        "  line 7: audit.key: ",
        ": vault: ",
        ": listeners: ",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let found = expect(folder.path(), 2, "--config wrong.toml --json config check");
    let found: Value = serde_json::from_str(&found).unwrap();
    let lines: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["line"].as_u64())
        .collect();
    for line in [3, 4, 7] {
        assert!(lines.contains(&Some(line)), "{line} in {lines:?}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = complaint(folder.path(), 2, "config check");
    assert!(said.contains("cannot read creditgate.toml"), "{said}");
}

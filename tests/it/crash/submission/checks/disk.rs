//! What lies on the disk of a gateway that died.

use std::{collections::BTreeSet, process::Command};

use creditgate::demo::loans::ORGANIZATION;

use super::Listed;
use crate::crash::{site::Site, submission::input::NAME};

/// No name, number of a document or account code lies in clear: neither in the
/// database nor in what waits to be sent, nor in what is left half written.
pub(super) fn holds_nothing_clear(name: &str, site: &Site, listed: &Listed) {
    let mut secrets = BTreeSet::from([NAME.to_owned(), format!("{ORGANIZATION}DK")]);
    for line in listed.submissions.iter().flat_map(|it| &it.handed.lines) {
        let data = &line["data"];
        let number = [&data["AcctBsSgmt"]["IDNum"], &data["BsSgmt"]["IDNum"]];
        secrets.extend(
            number
                .into_iter()
                .filter_map(|it| it.as_str().map(str::to_owned)),
        );
    }
    let lies = |words: &BTreeSet<String>| {
        let mut grep = Command::new("grep");
        grep.env("LC_ALL", "C").args(["-rlaF"]);
        for word in words {
            grep.args(["-e", word]);
        }
        let found = grep.arg(&site.house.folder).output().unwrap();
        String::from_utf8(found.stdout).unwrap()
    };
    let found = lies(&secrets);
    assert!(found.is_empty(), "{name}: something clear lies in {found}");
    // It would be found: the key of the files begins so.
    assert!(lies(&["demo".to_owned()].into()).contains("file.key"));
}

//! The records of enterprises: their tables compile, and every sample is sound.

use std::path::Path;

use jiff::civil::date;
use schemas::{edition::Edition, validate::FileHeader};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_sample_validates_and_comes_back() {
    let edition = Edition::embedded("pboc-submit-enterprise", date(2026, 11, 24)).unwrap();
    assert_eq!(edition.plans().len(), 37);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("testdata/pboc-submit-enterprise")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let line = std::fs::read(&path).unwrap();
        let plan = edition.plan(&name[..3]).unwrap();
        let header = FileHeader {
            date: date(2026, 11, 24),
            record: name[..3].to_owned(),
            org: "T99999999H0001".to_owned(),
            template: if &name[..3] == "310" { "10" } else { "  " }.to_owned(),
        };
        let record = plan.read(&line).unwrap();
        for finding in plan.validate(&record, &header) {
            found.push(format!(
                "{name}: {} {} {}",
                finding.code, finding.path, finding.en
            ));
        }
        let mut written = Vec::new();
        plan.write(&record, &mut written).unwrap();
        let again = plan.read(&written).unwrap();
        assert_eq!(plan.values(&again), plan.values(&record), "{name}");
    }
    assert_eq!(found, [""; 0]);
}

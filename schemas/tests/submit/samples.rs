//! Every sample is sound and comes back byte for byte.

use crate::support::{findings, personal, samples};

#[test]
fn every_sample_validates_and_comes_back_byte_for_byte() {
    for plan in personal().plans() {
        for (name, line) in samples(plan.code()) {
            assert_eq!(findings(plan, &line), [], "sample {name}");
            let record = plan.read(line.as_bytes()).unwrap();
            let mut written = Vec::new();
            plan.write(&record, &mut written).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), line, "sample {name}");
        }
    }
}

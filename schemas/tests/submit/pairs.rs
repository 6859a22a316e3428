//! What is written is read back the same.

use proptest::prelude::*;

use crate::generate::{self, Choices};
use crate::support::{header, personal};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn decode_of_encode_is_the_record(
        code in prop::sample::select(vec!["110", "210"]),
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let plan = personal().plan(code).unwrap();
        let record = generate::record(plan, &mut Choices::new(&bytes));
        let mut line = Vec::new();
        plan.write(&record, &mut line).unwrap();
        prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        let read = plan.read(&line).unwrap();
        prop_assert_eq!(plan.values(&read), plan.values(&record));
        let mut again = Vec::new();
        plan.write(&read, &mut again).unwrap();
        prop_assert_eq!(&again, &line);
        // Whatever stands in it, a record is judged alike before and after.
        let header = header(code);
        prop_assert_eq!(plan.validate(&read, &header), plan.validate(&record, &header));
    }
}

#[test]
fn a_forbidden_character_is_refused_and_leaves_no_trace() {
    let plan = personal().plan("214").unwrap();
    let mut record = plan.new_record();
    let item = plan.find("DelRecCode").unwrap();
    plan.put(&mut record, schemas::record::Place::RECORD, item, "a\u{0}b");
    let mut out = b"before".to_vec();
    let error = plan.write(&record, &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "DelRecCode holds a character that cannot stand in XML"
    );
    assert_eq!(out, b"before");
}

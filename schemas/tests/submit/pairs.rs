//! What is written is read back the same.

use proptest::prelude::*;

use crate::generate::{self, Choices};
use crate::support::{header, personal, samples};

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

    #[test]
    fn a_damaged_line_is_refused_or_judged_and_never_stops_the_engine(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<char>()), 1..6),
    ) {
        let plan = personal().plan("210").unwrap();
        let mut line: Vec<char> = samples("210").remove(0).1.chars().collect();
        for (at, what, c) in cuts {
            let at = at.index(line.len());
            match what {
                0 => line[at] = c,
                1 => line.insert(at, c),
                _ => drop(line.remove(at)),
            }
        }
        let line: String = line.into_iter().collect();
        if let Ok(record) = plan.read(line.as_bytes()) {
            let found = plan.validate(&record, &header("210"));
            let mut written = Vec::new();
            if plan.write(&record, &mut written).is_ok() {
                let again = plan.read(&written).unwrap();
                prop_assert_eq!(plan.values(&again), plan.values(&record));
                // What has no place in the plan is told, not written.
                let unknown = |f: &&schemas::validate::Finding| f.code != "ABR000";
                let judged = plan.validate(&again, &header("210"));
                prop_assert!(judged.iter().filter(unknown).eq(found.iter().filter(unknown)));
            }
        }
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

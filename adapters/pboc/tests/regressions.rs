//! What fuzzers found, and what they begin with, over and over: no reader panics at any of it.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::Path;

#[allow(unreachable_pub, reason = "public in the crate of the fuzzers")]
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;
#[allow(unreachable_pub, reason = "public in the crate of the fuzzers")]
#[path = "../../../fuzz/src/targets.rs"]
mod targets;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn what_a_fuzzer_found_is_not_found_again() {
    for (target, run) in targets::ALL {
        let folder = root().join("fuzz/regressions").join(target);
        // One for which nothing was ever found has no folder.
        for entry in fs::read_dir(folder).into_iter().flatten() {
            run(&fs::read(entry.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn every_fuzzer_begins_with_samples_that_its_reader_takes() {
    let seeds = seeds::all(root()).unwrap();
    for (target, run) in targets::ALL {
        let mut begins = false;
        for seed in seeds.iter().filter(|seed| seed.target == target) {
            assert!(!seed.name.is_empty(), "{target}");
            run(&seed.bytes);
            begins = true;
        }
        assert!(begins, "{target}");
    }
}

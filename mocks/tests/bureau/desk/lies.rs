//! Feedback that is not to be believed, or does not come.

use std::fs;

use mocks::Lie;

use super::{Folders, loan, sealed};
use crate::parcel::opened;

fn first(serial: u32) -> String {
    format!("T99999999H0001202606012100{serial:03}")
}

#[test]
fn every_lie_is_told_once() {
    let folders = Folders::open();
    let feedback = |serial, flag: u8, lines: &[String]| {
        let name = first(serial);
        folders.put(&format!("{name}0"), &sealed(lines));
        folders.wait(&format!("{name}0.ack"));
        folders.wait(&format!("{name}{flag}.enc"))
    };
    let wrong = loan(9, &[("<Cy>CNY</Cy>", "<Cy>CNX</Cy>")]);
    let honest = feedback(1, 3, &[loan(1, &[]), wrong.clone()]);
    folders.desk.lie(Lie::Garbage);
    assert!(feedback(2, 1, &[loan(2, &[])]).starts_with(b"not"));
    folders.desk.lie(Lie::Cut);
    let cut = feedback(3, 3, &[loan(3, &[]), wrong.clone()]);
    assert!(cut.len() < honest.len());
    folders.desk.lie(Lie::OtherFile);
    let other = opened(&feedback(4, 1, &[loan(4, &[])]));
    assert_eq!(&other[9..38], format!("{}9", &first(4)[..28]));
    folders.desk.lie(Lie::Twice);
    let third = opened(&feedback(5, 3, &[loan(5, &[]), wrong]));
    assert_eq!(&third[58..72], "00000010000001");
    let second = opened(&folders.wait(&format!("{}1.enc", first(5))));
    assert_eq!(&second[38..39], "1");
    assert_eq!(&second[58..72], "00000020000000");
    let wrong = |number| loan(number, &[("<Cy>CNY</Cy>", "<Cy>CNX</Cy>")]);
    folders.desk.lie(Lie::UnknownCodes);
    let codes = opened(&feedback(6, 3, &[wrong(6)]));
    assert!(codes.contains("<FbCode>ZZZ999</FbCode>"), "{codes}");
    folders.desk.lie(Lie::WrongCounts);
    let counts = opened(&feedback(7, 3, &[wrong(7)]));
    assert_eq!(&counts[58..72], "00000010000001");
    folders.desk.lie(Lie::WrongRecords);
    let records = opened(&feedback(8, 3, &[wrong(8)]));
    assert!(records.contains("<ErrRec>PERvY3VtZW50PjwvRG9jdW1lbnQ+</ErrRec>"));
    let files = folders.desk.files();
    assert!(files.values().all(|file| file.effects == 1));
    assert_eq!(folders.desk.accounts("210"), 5);
}

#[test]
fn feedback_comes_when_it_is_let_and_may_come_again() {
    let folders = Folders::open();
    let inside = |file: &str| folders.root.path().join("in").join(file);
    let name = first(1);
    folders.desk.withhold_feedback(true);
    folders.put(&format!("{name}0"), &sealed(&[loan(1, &[])]));
    folders.wait(&format!("{name}0.ack"));
    let file = format!("{name}1.enc");
    assert!(!inside(&file).exists());
    folders.desk.withhold_feedback(false);
    let bytes = folders.wait(&file);
    fs::remove_file(inside(&file)).unwrap();
    folders.desk.repeat_feedback();
    assert_eq!(folders.wait(&file), bytes);
}

#[test]
fn a_desk_that_is_away_takes_nothing_and_refuses_strangers_in_silence() {
    let folders = Folders::open();
    folders.desk.go_away(true);
    let name = format!("{}0", first(1));
    folders.put(&name, &sealed(&[loan(1, &[])]));
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(folders.desk.files().is_empty());
    folders.desk.go_away(false);
    folders.wait(&format!("{name}.ack"));
    // ABN004: nobody of that name is registered.
    let stranger = format!("X{}", &name[1..]);
    folders.put(&stranger, &sealed(&[loan(2, &[])]));
    folders.wait(&format!("{stranger}.ack"));
    assert_eq!(folders.desk.files()[&stranger].effects, 0);
    let names = fs::read_dir(folders.root.path().join("in")).unwrap();
    assert_eq!(names.count(), 3, "two acknowledgments and one feedback");
}

#[test]
fn broken_feedback_is_put_right_and_a_file_is_refused_whole_where_told() {
    let folders = Folders::open();
    folders.desk.lie(Lie::Cut);
    folders.put(&format!("{}0", first(1)), &sealed(&[loan(1, &[])]));
    let told = format!("{}1.enc", first(1));
    let cut = folders.wait(&told);
    folders.desk.mend_feedback();
    let right = folders.wait(&told);
    assert!(right.len() > cut.len() && right.starts_with(&cut));
    folders.desk.refuse_whole(1);
    folders.put(&format!("{}0", first(2)), &sealed(&[loan(2, &[])]));
    let refused = opened(&folders.wait(&format!("{}2.enc", first(2))));
    assert!(refused.contains("<FbCode>ABF007</FbCode>"), "{refused}");
    folders.put(&format!("{}0", first(3)), &sealed(&[loan(2, &[])]));
    folders.wait(&format!("{}1.enc", first(3)));
    let files = folders.desk.files();
    let effects: Vec<_> = files.values().map(|file| file.effects).collect();
    assert_eq!(effects, [1, 0, 1]);
}

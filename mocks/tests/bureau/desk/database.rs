//! What only the bureau's database knows, and files of some size.

use super::{Folders, loan};
use crate::parcel::{opened, sealed};

const KEY: &str = "T99999999H0001DK0000000001";

struct Post {
    folders: Folders,
    serial: u32,
}

impl Post {
    /// The code with which the only record of a file is refused, or nothing.
    fn code(&mut self, record: &str, line: &str) -> String {
        self.serial += 1;
        let first = format!("T99999999H000120260601{record}0{:03}", self.serial);
        let file = sealed(record, &[line.to_owned()]);
        self.folders.put(&format!("{first}0"), &file);
        self.folders.wait(&format!("{first}0.ack"));
        let refused = self.folders.root.path().join(format!("in/{first}3.enc"));
        if !refused.exists() {
            self.folders.wait(&format!("{first}1.enc"));
            return String::new();
        }
        let text = opened(&std::fs::read(refused).unwrap());
        let (_, rest) = text.split_once("<FbCode>").unwrap();
        rest[..6].to_owned()
    }
}

/// A published sample about our account.
fn sample(name: &str) -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../schemas/testdata/pboc-submit-personal"
    );
    let text = std::fs::read_to_string(format!("{folder}/{name}.xml")).unwrap();
    text.trim().replace("T99999999H0001DK2024000001", KEY)
}

#[test]
fn an_account_lives_as_its_records_say() {
    let mut post = Post {
        folders: Folders::open(),
        serial: 0,
    };
    for (record, code) in [
        ("211", "BIE001"),
        ("212", "BMR007"),
        ("213", "BSR000"),
        ("214", "BTE000"),
        ("215", "BQR001"),
    ] {
        assert_eq!(post.code(record, &sample(record)), code);
    }
    let open = loan(1, &[]);
    let desk = post.folders.desk.clone();
    assert_eq!(post.code("210", &open), "");
    assert_eq!(post.code("210", &open), "BLR027");
    assert_eq!(post.code("212", &sample("212")), "");
    let other_type = sample("212").replace("<AcctType>D1<", "<AcctType>R1<");
    assert_eq!(post.code("212", &other_type), "BMR012");
    // The segment of May is deleted, so May can be reported again.
    assert_eq!(post.code("213", &sample("213")), "");
    assert!(desk.account("210", KEY).unwrap().months.is_empty());
    let later = open.replace("<RptDate>2024-05-20<", "<RptDate>2024-06-02<");
    assert_eq!(post.code("210", &later), "");
    // A closing record cannot be older than what is there.
    let closed = loan(
        1,
        &[
            ("<AcctStatus>1<", "<AcctStatus>3<"),
            ("<AcctBal>500000<", "<AcctBal>0<"),
            ("<RpyStatus>*<", "<RpyStatus>C<"),
            ("<CloseDate><", "<CloseDate>2024-05-20<"),
        ],
    );
    assert_eq!(post.code("210", &closed), "BLR021");
    let new_key = "T99999999H0001DK2024009001";
    assert_eq!(post.code("211", &sample("211")), "");
    assert!(desk.account("210", KEY).is_none());
    assert_eq!(post.code("210", &open), "ABE012");
    let back = sample("211")
        .replace(new_key, "SWAP")
        .replace(KEY, new_key)
        .replace("SWAP", KEY);
    assert_eq!(
        post.code("211", &back),
        "",
        "a former key of the same account"
    );
    assert_eq!(post.code("210", &loan(2, &[])), "");
    let taken = sample("211").replace(new_key, "T99999999H0001DK0000000002");
    assert_eq!(post.code("211", &taken), "BIE002");
    assert_eq!(
        desk.account("210", KEY).unwrap().taken,
        ["210", "212", "213", "210", "211", "211"]
    );
    assert_eq!(post.code("214", &sample("214")), "");
    assert_eq!(post.code("214", &sample("214")), "BTE000");
    assert_eq!(desk.accounts("210"), 1);
}

#[test]
fn a_file_of_several_chunks_is_judged_line_by_line() {
    let folders = Folders::open();
    // What does not compress well, so that the file is longer than one chunk.
    let mut state = 1_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u32
    };
    let lines: Vec<String> = (0..1_800)
        .map(|number| {
            let contract: String = (0..200)
                .filter_map(|_| char::from_u32(0x4e00 + noise() % 20_000))
                .collect();
            let wrong = if number % 3 == 0 { "CNX" } else { "CNY" };
            loan(number, &[("示例合同2024第1号", &contract), ("CNY", wrong)])
        })
        .collect();
    let file = sealed("210", &lines);
    assert!(file.len() > 524_304, "{}", file.len());
    let first = "T99999999H0001202606012100001";
    folders.put(&format!("{first}0"), &file);
    folders.wait(&format!("{first}0.ack"));
    let feedback = opened(&folders.wait(&format!("{first}3.enc")));
    assert_eq!(&feedback[58..72], "00012000000600");
    assert_eq!(feedback.lines().count(), 601);
    assert!(feedback.contains("<ErrRecId>1799</ErrRecId>"));
    let seen = &folders.desk.files()[&format!("{first}0")];
    assert_eq!((seen.effects, seen.accepted, seen.rejected), (1, 1200, 600));
    assert_eq!(folders.desk.accounts("210"), 1200);
    // One chunk is missing: nothing of it is taken in.
    let second = "T99999999H0001202606012100002";
    folders.put(&format!("{second}0"), &file[..524_304]);
    folders.wait(&format!("{second}2.enc"));
    assert_eq!(folders.desk.files()[&format!("{second}0")].effects, 0);
}

//! Every sample record through the desk, and files that arrive again and again.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use mocks::{Desk, DeskConfig, MockBureau, MockConfig};

use crate::{
    client::{Authority, client},
    parcel::{self, KEY, ORG},
};

/// A bureau whose desk takes files by the door only, and a client of it.
pub(crate) struct Door {
    bureau: MockBureau,
    desk: Desk,
    client: reqwest::Client,
}

pub(crate) async fn door() -> Door {
    let at: Timestamp = "2026-06-01T02:00:00Z".parse().unwrap();
    let clock: mocks::Clock = Arc::new(move || at);
    let desk = Desk::open(DeskConfig {
        keys: [(ORG.to_owned(), KEY)].into(),
        folders: None,
        clock: clock.clone(),
    });
    let config = MockConfig {
        desk: Some(desk.clone()),
        ..MockConfig::new(clock)
    };
    Door {
        bureau: MockBureau::start(config).await.unwrap(),
        desk,
        client: client(&Authority::new().pem, None),
    }
}

pub(crate) fn sample(name: &str) -> String {
    let folder = "../schemas/testdata/pboc-submit-personal";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::read_to_string(path.join(format!("{name}.xml"))).unwrap()
}

/// Hands a file in: the status, and the text of its feedback.
async fn put(door: &Door, record: &str, serial: u32, lines: &[String]) -> (u16, String) {
    let client = &door.client;
    let base = format!("http://{}/submissions", door.bureau.address());
    let name = parcel::name(record, serial);
    let put = client.put(format!("{base}/files/{name}.enc"));
    let reply = put.body(parcel::sealed(record, lines)).send();
    let status = reply.await.unwrap().status().as_u16();
    for _ in 0..600 {
        for flag in 1..=3 {
            let url = format!("{base}/feedback/{}{flag}.enc", &name[..29]);
            let reply = client.get(url).send().await.unwrap();
            if reply.status() == 200 {
                return (status, parcel::opened(&reply.bytes().await.unwrap()));
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no feedback on {name}");
}

/// What is wrong with the records of a file: the index of each, and its codes.
pub(crate) async fn answer(
    door: &Door,
    record: &str,
    serial: u32,
    lines: &[String],
) -> Vec<(usize, Vec<String>)> {
    let (_, text) = put(door, record, serial, lines).await;
    let rejected = text.lines().skip(1).map(|line| {
        let (_, number) = line.split_once("<ErrRecId>").unwrap();
        let (number, _) = number.split_once('<').unwrap();
        let codes = line.split("<FbCode>").skip(1);
        // The header is line 1.
        let index = number.parse::<usize>().unwrap() - 2;
        (index, codes.map(|part| part[..6].to_owned()).collect())
    });
    rejected.collect()
}

/// The status of a file handed in, and all codes of its feedback.
async fn hand_in(door: &Door, record: &str, serial: u32, lines: &[String]) -> (u16, String) {
    let (status, text) = put(door, record, serial, lines).await;
    let codes: Vec<_> = text.split("<FbCode>").skip(1).map(|it| &it[..6]).collect();
    (status, codes.join(" "))
}

#[tokio::test]
async fn every_sample_is_accepted_in_its_turn_and_nothing_follows_a_deletion() {
    let door = door().await;
    let desk = &door.desk;
    let told = [
        "110",
        "120",
        "130",
        "140",
        "210",
        "210-c1",
        "210-d1-special",
        "210-r2",
        "212",
        "212-d",
        "215",
        "213",
        "220",
        "222",
        "222-c",
        "223",
        "230",
        "232",
        "233",
    ];
    let ended = ["214", "224", "234", "114", "134"];
    let mut serial = 0;
    for name in told.iter().chain(&ended) {
        serial += 1;
        let (status, codes) = hand_in(&door, &name[..3], serial, &[sample(name)]).await;
        assert_eq!((status, codes.as_str()), (201, ""), "{name}");
    }
    let gone = [
        ("211", "BIE001"),
        ("212", "BMR007"),
        ("213", "BSR000"),
        ("214", "BTE000"),
        ("114", "BDE000"),
        ("134", "BDE001"),
        ("221", "BIE101"),
        ("222", "BMR104"),
        ("223", "BSR100"),
        ("224", "BTE100"),
        ("231", "BIE201"),
        ("232", "BMR203"),
        ("233", "BSR200"),
        ("234", "BTE200"),
    ];
    for (name, code) in gone {
        serial += 1;
        let (_, codes) = hand_in(&door, name, serial, &[sample(name)]).await;
        assert_eq!(codes, code, "{name}");
    }
    assert_eq!(desk.files().len(), serial as usize);
    assert!(desk.account("210", &format!("{ORG}DK2024000001")).is_none());
}

/// Numbers that look random and are the same each time.
struct Dice(u32);

impl Dice {
    fn throw(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % sides
    }
}

#[tokio::test]
async fn however_often_files_arrive_each_takes_effect_once() {
    for seed in 0..8 {
        let door = door().await;
        let desk = &door.desk;
        let mut dice = Dice(seed);
        for _ in 0..30 {
            let serial = 1 + dice.throw(6);
            if dice.throw(4) == 0 {
                desk.lose_acknowledgments(1);
            }
            let lines = [2 * serial, 2 * serial + 1].map(parcel::loan);
            let (status, _) = hand_in(&door, "210", serial, &lines).await;
            assert!([201, 409, 504].contains(&status), "{status}");
        }
        desk.lose_acknowledgments(0);
        for serial in 1..=6 {
            let lines = [2 * serial, 2 * serial + 1].map(parcel::loan);
            hand_in(&door, "210", serial, &lines).await;
            for number in [2 * serial, 2 * serial + 1] {
                let key = format!("{ORG}DK{number:010}");
                assert_eq!(desk.account("210", &key).unwrap().taken, ["210"]);
            }
        }
        let files = desk.files();
        let sum = |of: fn(&mocks::ReceivedFile) -> usize| files.values().map(of).sum::<usize>();
        assert_eq!((sum(|it| it.effects), sum(|it| it.accepted)), (6, 12));
        assert_eq!((sum(|it| it.arrivals), sum(|it| it.rejected)), (36, 0));
        assert_eq!(desk.accounts("210"), 12);
    }
}

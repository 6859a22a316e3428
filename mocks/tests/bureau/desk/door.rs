//! The desk at the bureau's door, over mutual TLS.

use mocks::{Desk, DeskConfig, Fault, FaultRule};

use super::{NAME, clock, keys, loan, sealed};
use crate::{
    client::{Town, client},
    parcel::opened,
};

struct Door {
    town: Town,
    desk: Desk,
    http: reqwest::Client,
}

impl Door {
    async fn open() -> Self {
        let desk = Desk::open(DeskConfig {
            keys: keys(),
            folders: None,
            clock: clock(),
        });
        let town = Town::start(|config| config.desk = Some(desk.clone())).await;
        let http = town.client();
        Self { town, desk, http }
    }

    fn url(&self, what: &str) -> String {
        format!("https://{}/submissions/{what}", self.town.bureau.address())
    }

    fn put(&self) -> reqwest::RequestBuilder {
        self.http
            .put(self.url(&format!("files/{NAME}0.enc")))
            .body(sealed(&[loan(1, &[])]))
    }

    async fn get(&self, what: &str) -> Vec<u8> {
        let reply = self.http.get(self.url(what)).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.bytes().await.unwrap().to_vec()
    }

    fn times(&self) -> (usize, usize) {
        let files = self.desk.files();
        let file = files.get(&format!("{NAME}0")).cloned().unwrap_or_default();
        (file.arrivals, file.effects)
    }
}

async fn text(request: reqwest::RequestBuilder) -> (u16, String) {
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

#[tokio::test]
async fn it_takes_a_file_once_and_gives_feedback() {
    let door = Door::open().await;
    let wrong = door.put().header("Content-Digest", "sha-256=:AAAA:");
    assert_eq!(text(wrong).await, (400, r#"{"code":"MOCK04"}"#.to_owned()));
    assert_eq!(door.times(), (0, 0));
    let (status, said) = text(door.put()).await;
    let digest = &door.desk.files()[&format!("{NAME}0")].digests[0];
    assert_eq!(status, 201);
    assert_eq!(
        said,
        format!("{{\"name\":\"{NAME}0\",\"sha256\":\"{digest}\"}}")
    );
    let again = (409, r#"{"code":"ABF009"}"#.to_owned());
    assert_eq!(text(door.put()).await, again);
    let list = door.get("feedback").await;
    assert_eq!(list, format!("{{\"files\":[\"{NAME}1.enc\"]}}").as_bytes());
    let feedback = opened(&door.get(&format!("feedback/{NAME}1.enc")).await);
    assert!(
        feedback.starts_with(&format!("A0722.0.0{NAME}12.0.0")),
        "{feedback}"
    );
    assert_eq!(door.times(), (2, 1));
    assert_eq!(door.town.bureau.count(), 0, "files are no inquiries");
    let stranger = client(&door.town.authority.pem, None);
    assert!(stranger.get(door.url("feedback")).send().await.is_err());
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_leaves_one_effect_or_none() {
    let door = Door::open().await;
    let set = async |rule| door.town.bureau.set_fault(rule).await.unwrap();
    set(FaultRule::once(Fault::CutUpload { after_bytes: 100 })).await;
    assert!(door.put().send().await.is_err());
    let partial = &door.town.bureau.received()[0];
    assert!(!partial.whole && partial.bytes > 100);
    set(FaultRule::once(Fault::Status { code: 503 }).unlisted()).await;
    assert_eq!(text(door.put()).await.0, 503);
    assert_eq!(door.times(), (0, 0), "the front machine kept it");
    set(FaultRule::once(Fault::AcceptThenCut)).await;
    assert!(door.put().send().await.is_err());
    assert_eq!(door.times(), (1, 1));
    door.desk.lose_acknowledgments(1);
    assert_eq!(
        text(door.put()).await.0,
        409,
        "a name that came is always known"
    );
    assert_eq!(door.times(), (2, 1));
}

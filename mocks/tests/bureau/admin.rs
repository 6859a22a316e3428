//! The binary and its admin port.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use mocks::synthetic_resident_id;
use serde_json::{Value, json};

use crate::client::{Request, client, soap};

pub(crate) struct Process {
    child: Child,
    pub(crate) bureau: String,
    pub(crate) admin: String,
}

impl Process {
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mock-bureau"))
            .arg("--plain")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().unwrap().unwrap();
            format!("http://{}", line.strip_prefix(name).unwrap())
        };
        let (bureau, admin) = (address("bureau="), address("admin="));
        Self {
            child,
            bureau,
            admin,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_test_drives_the_process_by_its_admin_port() {
    let process = Process::start_with(&[]);
    let client = client(&crate::client::Authority::new().pem, None);
    let admin = |path: &str| format!("{}{path}", process.admin);
    let subject = synthetic_resident_id(1);
    let ask = || {
        client
            .post(format!("{}/channel-query/ServiceAccept", process.bureau))
            .header("Content-Type", "text/xml")
            .body(soap(&Request::about(&subject).message()))
            .send()
    };
    let json = |value: Value| {
        client
            .post(admin("/fault"))
            .header("Content-Type", "application/json")
            .body(value.to_string())
    };

    assert_eq!(ask().await.unwrap().status(), 200);
    let fault = json!({"fault": {"status": {"code": 503}}, "times": 1, "subject": subject});
    assert_eq!(json(fault).send().await.unwrap().status(), 204);
    assert_eq!(ask().await.unwrap().status(), 503);
    assert_eq!(ask().await.unwrap().status(), 200);

    assert_eq!(
        json(json!({"fault": "refuse_connection"}))
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert!(ask().await.is_err());
    assert_eq!(
        client
            .delete(admin("/fault"))
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(ask().await.unwrap().status(), 200);
    assert_eq!(
        json(json!({"fault": "wrong_name"}))
            .send()
            .await
            .unwrap()
            .status(),
        409
    );
    assert_eq!(
        json(json!({"fault": "unheard_of"}))
            .send()
            .await
            .unwrap()
            .status(),
        422
    );

    let text = |request: reqwest::RequestBuilder| async {
        request.send().await.unwrap().text().await.unwrap()
    };
    assert_eq!(
        text(client.get(admin("/received/count"))).await,
        r#"{"whole":4,"partial":0}"#
    );
    let of_subject = client.post(admin("/received/count")).body(subject.clone());
    assert_eq!(text(of_subject).await, r#"{"whole":4,"partial":0}"#);
    let of_nobody = client.post(admin("/received/count")).body("nobody");
    assert_eq!(text(of_nobody).await, r#"{"whole":0,"partial":0}"#);

    let list = text(client.get(admin("/inquiries.csv"))).await;
    assert_eq!(list.matches(&subject).count(), 4);
    let past = text(client.get(admin("/inquiries.csv?until=2000-01-01T00:00:00Z"))).await;
    assert_eq!(past.lines().count(), 1);
    let lines: Value = serde_json::from_str(&text(client.get(admin("/received"))).await).unwrap();
    assert_eq!(lines[0]["message_id"], "2026031600000001");
    assert_eq!(lines[0]["result"], "AAA000");
}

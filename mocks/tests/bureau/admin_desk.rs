//! The desk of the binary, by its admin port.

use serde_json::{Value, json};

use crate::{
    admin::Process,
    client::{Authority, client},
    parcel::{self, KEY, ORG},
};

#[tokio::test]
async fn a_test_drives_the_desk_of_the_process_by_its_admin_port() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = std::str::from_utf8(&KEY).unwrap();
    let process = Process::start_with(&["--desk", ORG, key, &path("out"), &path("in")]);
    let client = client(&Authority::new().pem, None);
    let admin = |path: &str| format!("{}{path}", process.admin);
    let switch = async |value: Value| {
        let request = client.post(admin("/desk/switch")).json(&value);
        request.send().await.unwrap().status().as_u16()
    };
    let put = async |serial: u32, number: u32| {
        let name = parcel::name("210", serial);
        let url = format!("{}/submissions/files/{name}.enc", process.bureau);
        let body = parcel::sealed("210", &[parcel::loan(number)]);
        let reply = client.put(url).body(body).send().await.unwrap();
        reply.status().as_u16()
    };
    let get = async |path: &str| {
        let reply = client.get(admin(path)).send().await.unwrap();
        serde_json::from_str::<Value>(&reply.text().await.unwrap()).unwrap()
    };

    assert_eq!(put(1, 1).await, 201);
    assert_eq!(put(1, 1).await, 409);
    assert_eq!(switch(json!({"lose_acknowledgments": 1})).await, 204);
    assert_eq!(switch(json!({"withhold_feedback": true})).await, 204);
    let spite = json!({"spite": {"key": format!("{ORG}DK0000000002"), "code": "BLR024"}});
    assert_eq!(switch(spite).await, 204);
    assert_eq!(put(2, 2).await, 504);
    assert_eq!(switch(json!({"lie": "no such lie"})).await, 422);
    assert_eq!(switch(json!({"lie": "cut"})).await, 204);

    let files = get("/desk/files").await;
    let seen = |serial: u32| {
        let file = &files[parcel::name("210", serial)];
        ["arrivals", "effects", "accepted", "rejected"].map(|of| file[of].as_u64().unwrap())
    };
    assert_eq!((seen(1), seen(2)), ([2, 1, 1, 0], [1, 1, 0, 1]));
    assert_eq!(get("/desk/accounts/210").await, json!({"accounts": 1}));
    let account = async |number: u32| {
        let which = json!({"family": "210", "key": format!("{ORG}DK{number:010}")});
        let request = client.post(admin("/desk/account")).json(&which);
        request.send().await.unwrap()
    };
    assert_eq!(account(2).await.status(), 404);
    let account: Value = serde_json::from_str(&account(1).await.text().await.unwrap()).unwrap();
    assert_eq!(account["taken"], json!(["210"]));
    assert_eq!(account["months"], json!({"2024-05": "2024-05-20"}));

    let list = async || {
        let url = format!("{}/submissions/feedback", process.bureau);
        client.get(url).send().await.unwrap().text().await.unwrap()
    };
    assert_eq!(list().await.matches(".enc").count(), 1);
    assert_eq!(switch(json!({"withhold_feedback": false})).await, 204);
    assert_eq!(list().await.matches(".enc").count(), 2);
    assert_eq!(switch(json!("repeat_feedback")).await, 204);
    assert_eq!(list().await.matches(".enc").count(), 2);
}

#[tokio::test]
async fn without_a_desk_its_routes_are_none() {
    let process = Process::start_with(&[]);
    let client = client(&Authority::new().pem, None);
    let reply = client.get(format!("{}/desk/files", process.admin)).send();
    assert_eq!(reply.await.unwrap().status(), 404);
}

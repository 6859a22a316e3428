//! The commands that ask a running gateway.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use super::{complaint, creditgate, expect, people::People};

const REQUEST: &str = r#"{"subject":{"kind":"person","id_type":"10",
    "id_number":"999999199001010016","name":"测试甲"},"bureau":"pboc",
    "product":"personal_report","purpose":"loan_approval","business_ref":"LOAN-1"}"#;

fn inquiry(state: &str) -> Value {
    json!({
        "id": "0192-a", "state": state, "bureau": "pboc",
        "receipt": "0192-e",
    })
}

#[test]
fn an_inquiry_is_sent_once_under_a_key_and_shown_with_its_report() {
    let report = json!({
        "sections": [{ "id": "summary", "title": "二 信息概要", "sections": [], "units": [] }],
        "variables": [{ "name": "total_balance", "label": "余额合计", "text": "5 元" }],
    });
    let people = People::start([
        (201, None, inquiry("answered")),
        (200, None, json!({ "report": report })),
    ]);
    people.file("request.json", REQUEST);
    let arguments = [
        "inquire",
        "request.json",
        "--token-file",
        "token",
        "--wait",
        "7",
    ];
    let output = creditgate(people.folder(), &arguments);
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert_eq!(
        out,
        "查询编号: 0192-a\n状态: answered\n征信机构: pboc\n回执: 0192-e\n\n二 信息概要\n\
         衍生变量\n  余额合计: 5 元\n"
    );
    let asked = people.asked();
    let lines: Vec<_> = asked.iter().map(|it| it.line.as_str()).collect();
    let expected = [
        "POST /v1/inquiries",
        "GET /v1/inquiries/0192-a/report?lang=zh",
    ];
    assert_eq!(lines, expected);
    let header = |name: &str| asked[0].headers[name].to_str().unwrap();
    assert_eq!(header("authorization"), "Bearer secret-token");
    assert_eq!(header("prefer"), "wait=7");
    assert_eq!(
        err,
        format!("idempotency key: {}\n", header("idempotency-key"))
    );
    assert_eq!(asked[0].body, REQUEST);
}

#[test]
fn the_exit_code_tells_what_became_of_an_inquiry() {
    let problem = |status: u16, code: &str| (status, None, json!({ "title": "no", "code": code }));
    let cases = [
        ("refused", (200, None, inquiry("refused")), 3),
        (
            "rejected by the bureau",
            (200, None, inquiry("rejected")),
            3,
        ),
        ("unsent", (200, None, inquiry("unsent")), 1),
        ("unknown", (200, None, inquiry("unknown")), 4),
        ("no role", problem(403, "forbidden"), 3),
        ("fresh report", problem(409, "fresh_report"), 3),
        (
            "key used otherwise",
            problem(422, "idempotency_key_reused"),
            2,
        ),
        ("gateway broken", problem(500, "internal"), 4),
        (
            "redirected",
            (307, Some("https://elsewhere.test/"), Value::Null),
            1,
        ),
        ("no inquiry at all", (200, None, json!({ "hello": 1 })), 4),
    ];
    for (case, told, code) in cases {
        let people = People::start([told]);
        people.file("request.json", REQUEST);
        let arguments = ["inquire", "request.json", "--token-file", "token"];
        let output = creditgate(people.folder(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{case}: {output:?}");
        assert_eq!(people.asked().len(), 1, "{case}");
    }
}

#[test]
fn an_inquiry_that_waits_is_not_settled() {
    let mut told = inquiry("on_hold");
    told["reasons"] =
        json!([{ "code": "checker", "what": { "zh": "需复核", "en": "to be checked" } }]);
    let people = People::start([(202, Some("/v1/inquiries/0192-a"), told)]);
    people.file("request.json", REQUEST);
    let line = "inquire request.json --token-file token --key my-key --lang en";
    let shown = expect(people.folder(), 4, line);
    assert!(shown.contains("State: on_hold\n"), "{shown}");
    assert!(shown.contains("✗ checker to be checked\n"), "{shown}");
    assert_eq!(people.asked()[0].headers["idempotency-key"], "my-key");
}

#[test]
fn a_rejection_is_told_with_the_word_of_the_bureau() {
    let mut told = inquiry("rejected");
    told["bureau_says"] = json!({
        "code": "DBO001", "listed": true,
        "meaning": { "zh": "无权限", "en": "no right" }, "cure": { "zh": "申请", "en": "apply" },
    });
    let people = People::start([(200, None, told)]);
    let line = "inquiry show 0192-a --token-file token --lang en";
    let shown = expect(people.folder(), 3, line);
    assert!(
        shown.contains("The bureau says: DBO001 no right\n  Cure: apply\n"),
        "{shown}"
    );
    assert_eq!(people.asked()[0].line, "GET /v1/inquiries/0192-a");
}

#[test]
fn a_checker_releases_and_an_officer_withdraws() {
    for (act, code) in [("release", 0), ("withdraw", 3)] {
        let state = if act == "release" {
            "answered"
        } else {
            "withdrawn"
        };
        let mut told = inquiry(state);
        told["outcome"] = "no_hit".into();
        let people = People::start([(200, None, told)]);
        expect(
            people.folder(),
            code,
            &format!("inquiry {act} 0192-a --token-file token"),
        );
        assert_eq!(
            people.asked()[0].line,
            format!("POST /v1/inquiries/0192-a/{act}")
        );
    }
    let people = People::start([]);
    expect(
        people.folder(),
        2,
        "inquiry release ../operators --token-file token",
    );
    assert!(people.asked().is_empty());
}

#[test]
fn a_bundle_is_for_its_owner_only() {
    let people = People::start([(200, None, json!({ "format": "x" }))]);
    let line = "audit bundle 0192-a --out bundle.json --token-file token";
    expect(people.folder(), 0, line);
    let path = people.folder().join("bundle.json");
    assert_eq!(fs::read(&path).unwrap(), br#"{"format":"x"}"#);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(people.asked()[0].line, "GET /v1/inquiries/0192-a/bundle");
}

#[test]
fn a_gateway_that_is_not_there_was_not_asked() {
    let people = People::start([]);
    people.file("request.json", REQUEST);
    // Port 1 of this machine answers nobody.
    super::configure(people.folder(), "127.0.0.1:1");
    let said = complaint(
        people.folder(),
        1,
        "inquire request.json --token-file token",
    );
    assert!(
        said.contains("creditgate: cannot reach the gateway at 127.0.0.1:1: "),
        "{said}"
    );
}

#[test]
fn only_the_configured_authority_is_trusted() {
    let people = People::start([]);
    people.file("request.json", REQUEST);
    expect(
        people.folder(),
        0,
        "certs ca --name other --out ca --replace",
    );
    let said = complaint(
        people.folder(),
        1,
        "inquire request.json --token-file token",
    );
    assert!(said.contains("cannot reach the gateway"), "{said}");
    assert!(people.asked().is_empty());
}

#[test]
fn nothing_of_a_request_is_said_about_a_broken_one() {
    let people = People::start([]);
    people.file("request.json", &REQUEST[..80]);
    let said = complaint(
        people.folder(),
        2,
        "inquire request.json --token-file token",
    );
    assert!(
        said.contains("the request is not one JSON object"),
        "{said}"
    );
    assert!(!said.contains("999999"), "{said}");
}

#[test]
fn a_token_is_needed_and_is_no_argument() {
    let people = People::start([]);
    people.file("request.json", REQUEST);
    let said = complaint(people.folder(), 2, "inquire request.json");
    assert!(
        said.contains("the variable CREDITGATE_TOKEN is not set"),
        "{said}"
    );
    let token = people.folder().join("token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let said = complaint(
        people.folder(),
        2,
        "inquire request.json --token-file token",
    );
    assert!(said.contains("open to others"), "{said}");
    expect(
        people.folder(),
        2,
        "inquire request.json --token secret-token",
    );
}

#[test]
fn an_explanation_names_every_reason() {
    let both = |zh: &str, en: &str| json!({ "zh": zh, "en": en });
    let people = People::start([(
        200,
        None,
        json!({ "permitted": false, "reasons": [{
            "rule": "QR-02", "code": "expired", "source": both("条例", "CRR Art 18"),
            "what": both("已过期", "it has expired"), "cure": both("重签", "sign again"),
        }] }),
    )]);
    people.file("request.json", REQUEST);
    let line = "explain request.json --token-file token --lang en";
    assert_eq!(
        expect(people.folder(), 3, line),
        "✗ an inquiry would be refused\n✗ QR-02 it has expired\n  Source: CRR Art 18\n  \
         Cure: sign again\n"
    );
}

#[test]
fn an_import_leaves_a_file_of_findings() {
    let people = People::start([(
        200,
        None,
        json!({
            "taken": { "rows": 3, "recorded": 2, "already": 0, "set_aside": 1 },
            "findings": [{
                "line": 3, "field": "signed_at", "code": "date",
                "wrong": { "zh": "不是日期", "en": "no date" },
                "right": { "zh": "改", "en": "write one" },
            }],
        }),
    )]);
    people.file("in.csv", "a,b\n1,2\n");
    let line = "authorizations import in.csv --findings out.csv --token-file token --lang en";
    assert_eq!(
        expect(people.folder(), 3, line),
        "Rows: 3\nRecorded: 2\nRecorded before: 0\nSet aside: 1\nFindings: 1\n"
    );
    assert_eq!(
        fs::read_to_string(people.folder().join("out.csv")).unwrap(),
        "line,field,code,wrong,right\n3,signed_at,date,no date,write one\n"
    );
    let asked = people.asked();
    assert_eq!(asked[0].headers["content-type"], "text/csv");
    assert_eq!(asked[0].body, "a,b\n1,2\n");
}

#[test]
fn the_register_is_read_page_by_page() {
    let page = |id: &str, next: Value| {
        (
            200,
            None,
            json!({ "inquiries": [{ "id": id, "state": "answered" }], "next": next }),
        )
    };
    let people = People::start([page("a", json!("c1")), page("b", Value::Null)]);
    people.file("subject.json", r#"{"kind":"person"}"#);
    let line = "register --from 2026-03-01 --until 2026-03-01 --subject subject.json --bureau pboc --state answered \
                --token-file token --json";
    let found: Value = serde_json::from_str(&expect(people.folder(), 0, line)).unwrap();
    assert_eq!(
        (&found[0]["id"], &found[1]["id"]),
        (&json!("a"), &json!("b"))
    );
    let asked = people.asked();
    let bodies: Vec<Value> = asked
        .iter()
        .map(|it| serde_json::from_slice(&it.body).unwrap())
        .collect();
    let mut filter = json!({
        "from": "2026-02-28T16:00:00Z", "until": "2026-03-01T16:00:00Z",
        "bureau": "pboc", "state": ["answered"], "subject": { "kind": "person" },
    });
    assert_eq!(bodies[0], filter);
    filter["cursor"] = "c1".into();
    assert_eq!(bodies[1], filter);
}

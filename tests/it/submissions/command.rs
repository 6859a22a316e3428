//! `creditgate submit`, as an operator runs it.

use creditgate::demo::loans::{Loan, Standing};
use serde_json::json;

use super::{
    desk::Operator,
    forms::{table, text},
    site::Site,
};

/// What no output may hold of loans.
fn secrets(loans: &[&Loan]) -> Vec<String> {
    let of = |loan: &&Loan| {
        [
            loan.borrower.0.clone(),
            loan.borrower.1.clone(),
            loan.code(),
        ]
    };
    loans.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_handed_in_once_however_often_and_what_waits_is_told_in_both_languages() {
    let site = Site::start().await;
    let desk = site.operator();
    let (good, held, bad) = (site.loan(1), site.loan(2), site.loan(3));
    site.consent(&good).await;
    site.consent(&bad).await;
    let mut wrong = bad.record();
    wrong["data"]["AcctBsInfSgmt"]["Cy"] = "RMB".into();
    desk.file("all.jsonl", &text(&[good.record(), held.record(), wrong]));
    let secrets = secrets(&[&good, &held, &bad]);
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();

    let said = desk.run("submit all.jsonl").exits(3).without(&secrets);
    for part in [
        "报送: ",
        "可报送: 1",
        "待处理: 1",
        "校验未通过",
        "#2 210",
        "#3 210",
    ] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    assert!(said.out.contains("provide_missing") && said.out.contains("ABE001"));
    let key = said.key().to_owned();
    assert!(key.starts_with("sha256-"), "{key}");
    let again = desk
        .run("submit all.jsonl --lang en")
        .exits(3)
        .without(&secrets);
    assert_eq!(again.key(), key);
    for part in [
        "Submission: ",
        "held: 1",
        "set aside: 1",
        "provide_missing",
        "Currency",
    ] {
        assert!(again.out.contains(part), "{part}: {again:?}");
    }
    let page = site.submitter.get("/v1/submissions").await.unwrap();
    let all = page.body["submissions"].as_array().unwrap();
    assert_eq!(all.len(), 1, "it is the same submission");

    let said = desk
        .run("submit all.jsonl --json")
        .exits(3)
        .without(&secrets);
    let told = said.json();
    assert_eq!(told["submission"]["id"], all[0]["id"]);
    assert_eq!(told["waiting"].as_array().unwrap().len(), 2);
    // Other content under the key that it printed.
    desk.file("other.jsonl", &text(&[good.record()]));
    let said = desk
        .run(&format!("submit other.jsonl --key {key}"))
        .exits(2);
    assert!(said.err.contains("idempotency_key_reused"), "{said:?}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_a_child_table_goes_to_the_bureau_as_one_record_each() {
    let site = Site::start().await;
    let desk = site.operator();
    let loans = [site.loan(1), site.loan(2)];
    let mut lines = Vec::new();
    for loan in &loans {
        site.consent(loan).await;
        let mut line = loan.record();
        line["data"]["AcctBsInfSgmt"]["GuarMode"] = "3".into();
        lines.push(line);
    }
    desk.file("loans.csv", &table(&lines));
    let row = |loan: &Loan, n: u32| {
        let surety = mocks::synthetic_resident_id(500 + n);
        format!("{},1,测试丙,10,{surety},2,1000,0,GC-{n}\n", loan.code())
    };
    let head = "AcctCode,InfoIDType,ArlpName,ArlpCertType,ArlpCertNum,ArlpType,ArlpAmt,\
                WartySign,MaxGuarMcc\n";
    let rows = [row(&loans[0], 1), row(&loans[0], 2), row(&loans[1], 3)];
    desk.file("parties.csv", &format!("{head}{}", rows.concat()));
    let line = "submit loans.csv --record 210 --child RltRepymtInf=parties.csv";
    let checked = desk.say(&format!("{line} --dry-run --lang en")).exits(0);
    assert!(
        checked.out.contains("2 records, 0 with findings"),
        "{checked:?}"
    );
    let said = desk.run(&format!("{line} --lang en")).exits(0);
    assert!(
        said.out.contains("ready: 2") || said.out.contains("filed: 2"),
        "{said:?}"
    );
    let told = desk.run(&format!("{line} --json")).exits(0).json();
    let id = told["submission"]["id"].as_str().unwrap();
    site.all(id, "accepted").await;

    // A party before its loan: nothing is handed in, and the place is told.
    let rows = [row(&loans[1], 3), row(&loans[0], 1)];
    desk.file("parties.csv", &format!("{head}{}", rows.concat()));
    let said = desk
        .run(line)
        .exits(1)
        .without(&[&loans[0].code(), "测试丙"]);
    assert!(said.err.contains("intake_child_orphan"), "{said:?}");
    desk.file("parties.csv", "AcctCode,NoSuch\n");
    let said = desk.run(line).exits(1);
    assert!(said.err.contains("intake_"), "{said:?}");
    let page = site.submitter.get("/v1/submissions").await.unwrap();
    assert_eq!(page.body["submissions"].as_array().unwrap().len(), 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_record_type_does_not_spoil_the_right_one() {
    let site = Site::start().await;
    let desk = site.operator();
    let loan = site.loan(1);
    site.consent(&loan).await;
    desk.file("loans.csv", &table(&[loan.record()]));
    let said = desk.run("submit loans.csv --record 999").exits(2);
    assert!(said.err.contains("no_such_record"), "{said:?}");
    let said = desk.run("submit loans.csv --record 220").exits(2);
    assert!(said.err.contains("invalid"), "{said:?}");
    desk.run("submit loans.csv --record 210").exits(0);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_needs_no_gateway_and_tells_every_finding_without_a_value() {
    let desk = Operator::alone();
    let month_end = "2026-09-30".parse().unwrap();
    let loan = Loan {
        number: 1,
        borrower: (mocks::synthetic_resident_id(1), "测试甲".to_owned()),
        month_end,
        standing: Standing::Normal,
    };
    let mut bad = loan.record();
    bad["data"]["AcctBsInfSgmt"]["Cy"] = "RMB".into();
    bad["data"]["AcctBsInfSgmt"]["LoanAmt"] = "lots".into();
    bad["data"]["AcctBsSgmt"]["血型"] = "A".into();
    desk.file("good.jsonl", &text(&[loan.record(), loan.correction()]));
    desk.file("bad.jsonl", &text(&[loan.record(), bad]));
    let secrets = [&*loan.code(), &loan.borrower.0, "测试甲", "RMB", "lots"];

    let said = desk.say("submit good.jsonl --dry-run --lang en").exits(0);
    assert!(said.out.contains("2 records, 0 with findings"), "{said:?}");
    let said = desk
        .say("submit bad.jsonl --dry-run")
        .exits(3)
        .without(&secrets);
    for part in [
        "2 条记录，1 条有问题",
        "#2",
        "ABE001 AcctBsInfSgmt/Cy",
        "LoanAmt",
    ] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
    assert!(said.out.contains("intake_name_forbidden"), "{said:?}");
    let said = desk
        .say("submit good.jsonl bad.jsonl --dry-run --json")
        .code;
    assert_eq!(said, 3, "one of several is bad");
    let said = desk.say("submit bad.jsonl --dry-run --json").exits(3);
    let told = said.without(&secrets).json();
    assert_eq!((&told["records"], &told["bad"]), (&json!(2), &json!(1)));
    let findings = &told["records_with_findings"][0];
    assert_eq!(findings["seq"], 2);
    assert!(
        findings["findings"].as_array().unwrap().len() >= 3,
        "{told}"
    );

    desk.file("loans.csv", &table(&[loan.record()]));
    let said = desk
        .say("submit loans.csv --record 210 --dry-run --lang en")
        .exits(0);
    assert!(said.out.contains("1 records, 0 with findings"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_tells_usage_from_refusal_from_failure() {
    let site = Site::start().await;
    let desk = site.operator();
    let loan = site.loan(1);
    desk.file("loans.jsonl", &text(&[loan.record()]));
    desk.file("loans.txt", "x");
    desk.file("loans.csv", &table(&[loan.record()]));
    desk.file("head.csv", "AcctCode,NoSuch\n");
    let cases: [(&str, i32, &str); 9] = [
        ("submit loans.txt", 2, ".jsonl"),
        ("submit loans.csv", 2, "--record"),
        ("submit loans.jsonl loans.csv --key k", 2, "one file"),
        (
            "submit loans.csv --record 210 --child parties.csv",
            2,
            "GROUP=FILE",
        ),
        ("submit loans.jsonl --key 钥", 2, "printable"),
        ("submit none.jsonl", 1, "none.jsonl"),
        ("submit loans.jsonl --bureau none", 2, "no_such_bureau"),
        ("submit head.csv --record 210", 2, "NoSuch"),
        ("submit head.csv --record 210 --dry-run", 3, ""),
    ];
    for (line, code, part) in cases {
        let said = desk.run(line).exits(code);
        assert!(
            said.err.contains(part) || said.out.contains(part),
            "{line}: {said:?}"
        );
    }
    let said = desk.say("submit loans.jsonl").exits(2);
    assert!(said.err.contains("CREDITGATE_TOKEN"), "{said:?}");
    let officer = {
        use secrecy::ExposeSecret as _;
        site.operator_with(site.test.staff.officer.1.expose_secret())
    };
    officer.file("loans.jsonl", &text(&[loan.record()]));
    let said = officer.run("submit loans.jsonl").exits(3);
    assert!(said.err.contains("forbidden"), "{said:?}");
    let stranger = site.operator_with("no-token-at-all");
    stranger.file("loans.jsonl", &text(&[loan.record()]));
    stranger.run("submit loans.jsonl").exits(3);
    crate::cli::configure(desk.folder(), "127.0.0.1:1");
    desk.run("submit loans.jsonl").exits(1);
    let page = site.submitter.get("/v1/submissions").await.unwrap();
    assert_eq!(page.body["submissions"], json!([]));
    site.stop().await;
}

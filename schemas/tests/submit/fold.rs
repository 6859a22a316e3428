//! What the bureau holds of an account after each record.

use schemas::fold::FoldError;
use schemas::plan::RecordPlan;
use schemas::record::Record;

use crate::support::{findings, personal, samples};

fn sample(name: &str, changes: &[(&str, &str)]) -> (&'static RecordPlan, Record) {
    let plan = personal().plan(&name[..3]).unwrap();
    let (_, mut line) = samples(&name[..3])
        .into_iter()
        .find(|(found, _)| found == name)
        .unwrap();
    for (from, to) in changes {
        assert!(line.contains(from), "{name} holds {from}");
        line = line.replace(from, to);
    }
    (plan, plan.read(line.as_bytes()).unwrap())
}

fn fold(
    state: Option<&Record>,
    name: &str,
    changes: &[(&str, &str)],
) -> Result<Option<Record>, FoldError> {
    let (plan, record) = sample(name, changes);
    personal().fold(state, plan, &record)
}

fn text(record: &Record) -> String {
    let mut line = Vec::new();
    personal()
        .plan("210")
        .unwrap()
        .write(record, &mut line)
        .unwrap();
    String::from_utf8(line).unwrap()
}

/// The state after the sample 210 was accepted.
fn opened() -> Record {
    fold(None, "210.xml", &[]).unwrap().unwrap()
}

#[test]
fn an_account_begins_with_its_first_record() {
    for plan in personal().plans() {
        for (name, line) in samples(plan.code()) {
            let record = plan.read(line.as_bytes()).unwrap();
            let role = personal().role(plan.code()).unwrap();
            let state = personal().fold(None, plan, &record);
            match role.does() {
                schemas::role::Does::Normal => {
                    let mut written = Vec::new();
                    plan.write(&state.unwrap().unwrap(), &mut written).unwrap();
                    assert_eq!(String::from_utf8(written).unwrap(), line, "sample {name}");
                }
                schemas::role::Does::Delete => assert!(state.unwrap().is_none()),
                _ if role.family() == "510" => assert_eq!(state.unwrap_err(), FoldError::NoRole),
                _ => assert_eq!(state.unwrap_err(), FoldError::NoState, "sample {name}"),
            }
        }
    }
}

#[test]
fn the_next_record_replaces_the_segments_that_it_has() {
    let later = [
        ("2024-05-20</RptDate>", "2024-06-30</RptDate>"),
        ("<RptDateCode>10<", "<RptDateCode>30<"),
        ("<Month>2024-05<", "<Month>2024-06<"),
        ("<AcctBal>500000<", "<AcctBal>490000<"),
    ];
    let (plan, whole) = sample("210.xml", &later);
    let mut line = Vec::new();
    plan.write(&whole, &mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    // Only what code 30 asks for.
    let (before, rest) = line.split_once("<AcctBsInfSgmt>").unwrap();
    let (_, month) = rest.split_once("<AcctMthlyBlgInfSgmt>").unwrap();
    let line = format!("{before}<AcctMthlyBlgInfSgmt>{month}");
    let record = plan.read(line.as_bytes()).unwrap();
    let state = personal()
        .fold(Some(&opened()), plan, &record)
        .unwrap()
        .unwrap();
    let after = text(&state);
    assert!(after.contains("<Month>2024-06<") && after.contains("<AcctBal>490000<"));
    assert!(after.contains("<LoanAmt>500000<") && after.contains("<RltRepymtInfSgmt>"));
    assert!(!after.contains("2024-05</Month>") && after.contains("<RptDateCode>30<"));
    // An earlier day takes nothing back.
    let earlier = personal()
        .fold(Some(&state), plan, &opened())
        .unwrap()
        .unwrap();
    assert_eq!(text(&earlier), after);
}

#[test]
fn a_correction_replaces_one_segment_or_the_person() {
    let state = opened();
    let corrected = fold(
        Some(&state),
        "212.xml",
        &[("<AcctBal>500000<", "<AcctBal>7<")],
    );
    let after = text(&corrected.unwrap().unwrap());
    assert!(after.contains("<AcctBal>7<") && after.contains("<RptDate>2024-05-31<"));
    let older = [
        ("<AcctBal>500000<", "<AcctBal>7<"),
        ("<Month>2024-05<", "<Month>2024-04<"),
    ];
    let unchanged = fold(Some(&state), "212.xml", &older).unwrap().unwrap();
    assert_eq!(text(&unchanged), text(&state));
    let plan = personal().plan("212").unwrap();
    let line = "<Document><InAcctMdfc><BsSgmt><InfRecType>212</InfRecType>\
                <ModRecCode>T99999999H0001DK2024000001</ModRecCode><RptDate>2024-05-20</RptDate>\
                <AcctType>D1</AcctType><MdfcSgmtCode>B</MdfcSgmtCode></BsSgmt><MdfcSgmt>\
                <AcctBsSgmt><Name>测试戊</Name><IDType>10</IDType><IDNum>999999199107170016</IDNum>\
                <MngmtOrgCode>T99999999H0001</MngmtOrgCode></AcctBsSgmt></MdfcSgmt></InAcctMdfc>\
                </Document>";
    let record = plan.read(line.as_bytes()).unwrap();
    let after = personal()
        .fold(Some(&state), plan, &record)
        .unwrap()
        .unwrap();
    let expected = text(&state)
        .replacen("<Name>测试甲<", "<Name>测试戊<", 1)
        .replacen(
            "<IDNum>999999198808080010<",
            "<IDNum>999999199107170016<",
            1,
        );
    assert_eq!(text(&after), expected);
    assert!(
        findings(personal().plan("210").unwrap(), &text(&after))
            .iter()
            .all(|f| f.code == "ABE004")
    );
}

#[test]
fn a_deletion_takes_a_segment_of_its_span_or_all() {
    let state = opened();
    let after = text(&fold(Some(&state), "213.xml", &[]).unwrap().unwrap());
    assert!(!after.contains("<AcctMthlyBlgInfSgmt>") && after.contains("<AcctBsInfSgmt>"));
    let before = [("<DelStartDate>2024-05-01<", "<DelStartDate>2024-05-21<")];
    let unchanged = fold(Some(&state), "213.xml", &before).unwrap().unwrap();
    assert_eq!(text(&unchanged), text(&state));
    let open = [("<DelStartDate>2024-05-01<", "<DelStartDate><")];
    let after = text(&fold(Some(&state), "213.xml", &open).unwrap().unwrap());
    assert!(!after.contains("<AcctMthlyBlgInfSgmt>"));
    assert!(fold(Some(&state), "214.xml", &[]).unwrap().is_none());
}

#[test]
fn a_new_key_and_an_event_leave_the_rest() {
    let state = opened();
    let (plan, record) = sample("211.xml", &[]);
    let role = personal().role("211").unwrap();
    let key = role.new_key(plan, &record).unwrap();
    let after = fold(Some(&state), "211.xml", &[]).unwrap().unwrap();
    assert_eq!(
        text(&after),
        text(&state).replace("T99999999H0001DK2024000001", &key)
    );
    let after = fold(Some(&state), "215.xml", &[]).unwrap().unwrap();
    assert_eq!(text(&after), text(&state));
}

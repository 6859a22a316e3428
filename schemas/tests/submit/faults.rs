//! One fault in a sound record gives the codes that the bureau gives.

use schemas::read::ReadError;
use schemas::validate::Severity;
use schemas::xml::XmlError;

use crate::support::{codes, findings, header, personal, samples};

fn check(record: &str, sample: &str, cases: &[(&str, &str, &[&str])]) {
    let plan = personal().plan(record).unwrap();
    let (_, line) = samples(record)
        .into_iter()
        .find(|(name, _)| name == sample)
        .unwrap();
    for (from, to, expected) in cases {
        assert!(line.contains(from), "{sample} holds {from}");
        let found = findings(plan, &line.replacen(from, to, 1));
        assert_eq!(
            &codes(&found),
            expected,
            "{sample}: {from} -> {to}: {found:#?}"
        );
        for finding in found {
            assert!(!finding.zh.is_empty() && !finding.en.is_empty());
            for value in ["测试甲", "9999991988", "test@"] {
                assert!(!finding.zh.contains(value) && !finding.en.contains(value));
            }
        }
    }
}

#[test]
fn faults_of_record_110() {
    check(
        "110",
        "110.xml",
        &[
            (
                "<InfRecType>110</InfRecType>",
                "<InfRecType>120</InfRecType>",
                &["ABR000"],
            ),
            ("<Name>测试甲</Name>", "", &["ABD000"]),
            ("<Name>测试甲</Name>", "<Name> </Name>", &["ABE000"]),
            ("<Name>测试甲</Name>", "<Name> 　　</Name>", &["ABE000"]),
            ("<IDType>10<", "<IDType>77<", &["ABE001"]),
            (
                "<IDNum>999999198808080010<",
                "<IDNum>999999198808080011<",
                &["ABE004"],
            ),
            (
                "<RptDate>2024-05-31<",
                "<RptDate>2024-05-29<",
                &["ABE007"; 8],
            ),
            ("<DOB>1988-08-08<", "<DOB>1888-08-08<", &["ABE008"]),
            ("<DOB>1988-08-08<", "<DOB>2024-05-31<", &["BBE001"]),
            ("<IDNm>1<", "<IDNm>2<", &["ABE010"]),
            ("<IDNm>1<", "<IDNm>0<", &["ABE010", "BBE006"]),
            (
                "<OthIDType>2</OthIDType>",
                "<OthIDType>2</OthIDType><X/>",
                &["ABR000"],
            ),
            ("<MariStatus>20<", "<MariStatus>10<", &["BBD001"; 5]),
            ("<SpoIDNum>999999198909090023<", "<SpoIDNum><", &["BBE002"]),
            (
                "<SpoIDNum>999999198909090023<",
                "<SpoIDNum>999999198808080010<",
                &["BBD003"],
            ),
            ("<EduLevel>20<", "<EduLevel>30<", &["BBE004"]),
            ("<CpnType>20<", "<CpnType>30<", &[]),
            ("<Occupation>3<", "<Occupation>X<", &[]),
            (
                "<CellPhone>10000000001<",
                "<CellPhone>1000000000<",
                &["ABE001"],
            ),
            ("<Sex>1</Sex>", "<Sex>1</Sex><Sex>1</Sex>", &["ABR000"]),
            ("<EduInfSgmt>", "<EduInfSgmt>text", &["ABR000"]),
        ],
    );
}

#[test]
fn faults_of_record_210() {
    check(
        "210",
        "210.xml",
        &[
            ("<AcctType>D1<", "<AcctType>Z9<", &["ABE001"]),
            (
                "<LoanAmt>500000</LoanAmt>",
                "<AcctCredLine>1</AcctCredLine>",
                &["BLD000", "BLD000"],
            ),
            ("<GuarMode>5<", "<GuarMode>9<", &["ABE001"]),
            ("<BusiDtlLines>11<", "<BusiDtlLines>81<", &["ABE001"]),
            ("<RltRepymtNm>2<", "<RltRepymtNm>3<", &["ABE010"]),
            (
                "<ArlpCertNum>91999999MA9999XX5B<",
                "<ArlpCertNum>91999999MA9999XX5C<",
                &["ABE004"],
            ),
            ("<OverdPrinc>0<", "<OverdPrinc>1<", &["BLE020"]),
            (
                "<AcctStatus>1<",
                "<AcctStatus>3<",
                &["BLE001", "BLE026", "BLE030"],
            ),
            (
                "<OpenDate>2024-05-20<",
                "<OpenDate>2024-04-19<",
                &["BLE008"],
            ),
            ("<Month>2024-05<", "<Month>2024-03<", &["BLE039"]),
            ("<RepayMode>11<", "<RepayMode>90<", &[]),
            ("<RpyStatus>*<", "<RpyStatus>1<", &["BLE019", "BLE019"]),
            (
                "</AcctMthlyBlgInfSgmt>",
                "</AcctMthlyBlgInfSgmt><SpecPrdSgmt><SpecLine>x</SpecLine></SpecPrdSgmt>",
                &["BLR001"],
            ),
            (
                "<ArlpName>测试丙<",
                "<ArlpName>一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十𠀀<",
                &["ABE001"],
            ),
            ("<LoanAmt>500000<", "<LoanAmt>+500000<", &["ABE001"]),
            ("<LoanConCode>", "<LoanConCode a=\"1\">", &["ABR000"]),
            ("<FirstHouLoanFlag>01</FirstHouLoanFlag>", "", &["BLE050"]),
        ],
    );
    check(
        "210",
        "210-c1.xml",
        &[("<BusiLines>", "<BusiLines>0", &["ABE001"])],
    );
}

#[test]
fn faults_of_the_records_that_change_others() {
    check(
        "114",
        "114.xml",
        &[
            ("<InfRecType>114<", "<InfRecType>110<", &["ABR000"]),
            ("<Name>测试甲</Name>", "", &["ABD000"]),
            ("<IDType>10<", "<IDType>77<", &["ABE001"]),
            (
                "<IDNum>999999198808080010<",
                "<IDNum>999999198808080011<",
                &["ABE004"],
            ),
            (
                "<InfSurcCode>T99999999H0001000001<",
                "<InfSurcCode><",
                &["ABE000"],
            ),
        ],
    );
    check(
        "211",
        "211.xml",
        &[
            ("<InfRecType>211<", "<InfRecType>214<", &["ABR000"]),
            (
                "<OdBnesCode>T99999999H0001DK2024000001<",
                "<OdBnesCode><",
                &["ABE000"],
            ),
            ("<OdBnesCode>", "<OdBnesCode>测", &["ABE001"]),
            ("<NwBnesCode>", "<X/><NwBnesCode>", &["ABR000"]),
        ],
    );
    check(
        "212",
        "212.xml",
        &[
            ("<InfRecType>212<", "<InfRecType>210<", &["ABR000"]),
            ("<AcctType>D1<", "<AcctType>Z9<", &["ABE001"]),
            (
                "<MdfcSgmtCode>H<",
                "<MdfcSgmtCode>C<",
                &["BMR001", "ABR000"],
            ),
            ("<MdfcSgmtCode>H<", "<MdfcSgmtCode>Z<", &["ABE001"]),
            ("<Month>2024-05<", "<Month>2024-03<", &["BLE039"]),
            ("<OverdPrinc>0<", "<OverdPrinc>1<", &["BLE020"]),
            ("<RpyStatus>*<", "<RpyStatus>1<", &["BLE019", "BLE019"]),
            ("<AcctBal>500000<", "<AcctBal>5,00<", &["ABE001"]),
        ],
    );
    check(
        "213",
        "213.xml",
        &[
            ("<DelSgmtCode>H<", "<DelSgmtCode>B<", &["ABE001"]),
            (
                "<DelStartDate>2024-05-01<",
                "<DelStartDate>2024-05-32<",
                &["ABE001"],
            ),
            ("<DelEndDate>2024-05-31</DelEndDate>", "", &["ABD000"]),
        ],
    );
    check(
        "214",
        "214.xml",
        &[
            ("<InfRecType>214<", "<InfRecType>213<", &["ABR000"]),
            ("<InfRecType>214</InfRecType>", "", &["ABD000"]),
        ],
    );
    check(
        "215",
        "215.xml",
        &[
            ("<OpetnType>", "<OpetnType>9", &["ABE001"]),
            ("<AcctCode>T", "<AcctCode>甲", &["ABE001"]),
            ("<Flag>1<", "<Flag>2<", &["ABE001"]),
            ("<Month>2024-06<", "<Month>2024-05<", &["BQR000"]),
        ],
    );
}

#[test]
fn a_finding_points_to_the_entry_and_tells_in_both_languages() {
    let plan = personal().plan("210").unwrap();
    let line = &samples("210")
        .into_iter()
        .find(|(name, _)| name == "210.xml")
        .unwrap()
        .1;
    let line = line.replacen("91999999MA9999XX5B", "91999999MA9999XX5C", 1);
    let [finding] = &findings(plan, &line)[..] else {
        panic!("one finding")
    };
    assert_eq!(finding.path, "RltRepymtInfSgmt/RltRepymtInf[2]/ArlpCertNum");
    assert_eq!((&*finding.rule, &*finding.tag), ("I0000401", "ArlpCertNum"));
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.zh.starts_with("应满足：若“") && finding.zh.contains("号码规则"));
    assert!(finding.en.contains("if ") && finding.en.contains("check digit"));
}

#[test]
fn what_only_the_texts_forbid_is_a_warning() {
    let plan = personal().plan("220").unwrap();
    let line = &samples("220")[0].1;
    let (start, end) = (
        line.find("<CtrctCertRel>").unwrap(),
        line.rfind("</CtrctCertRel>").unwrap(),
    );
    let line = format!(
        "{}{}",
        &line[..start],
        &line[end + "</CtrctCertRel>".len()..]
    );
    assert_eq!(codes(&findings(plan, &line)), ["~ABE010"]);
}

#[test]
fn template_90_of_record_110_asks_for_less() {
    let plan = personal().plan("110").unwrap();
    let line = samples("110")[0].1.replace("<Sex>1</Sex>", "");
    let record = plan.read(line.as_bytes()).unwrap();
    let mut header = header("110");
    assert_eq!(codes(&plan.validate(&record, &header)), ["ABD000"]);
    header.template = "90".to_owned();
    assert_eq!(plan.validate(&record, &header), []);
}

#[test]
fn a_line_that_is_no_record_is_refused() {
    let plan = personal().plan("214").unwrap();
    let line = &samples("214")[0].1;
    let other = ReadError::OtherRecord {
        record: "214".to_owned(),
    };
    let cases = [
        ("cut", line[..line.len() - 1].to_owned(), ReadError::Frame),
        (
            "declaration",
            format!("<?xml version=\"1.0\"?>{line}"),
            ReadError::Frame,
        ),
        ("blank before", format!(" {line}"), ReadError::Frame),
        (
            "namespace",
            line.replace("<Document>", "<Document xmlns=\"x\">"),
            ReadError::Frame,
        ),
        (
            "two records",
            format!("{line}{line}"),
            ReadError::Xml(XmlError::Malformed),
        ),
        (
            "nothing inside",
            "<Document></Document>".to_owned(),
            ReadError::Frame,
        ),
        ("other record", samples("114")[0].1.clone(), other),
        (
            "not closed",
            line.replace("</InAcctEntDel>", ""),
            ReadError::Xml(XmlError::Malformed),
        ),
        (
            "entity",
            line.replace("<DelRecCode>", "<DelRecCode>&x;"),
            ReadError::Xml(XmlError::Entity),
        ),
        (
            "doctype",
            format!("<Document><!DOCTYPE a>{}", &line["<Document>".len()..]),
            ReadError::Xml(XmlError::Doctype),
        ),
        (
            "deep",
            line.replace("<DelRecCode>", &format!("<DelRecCode>{}", "<a>".repeat(20))),
            ReadError::Xml(XmlError::TooDeep { limit: 16 }),
        ),
    ];
    for (name, line, expected) in cases {
        assert_eq!(
            plan.read(line.as_bytes()).unwrap_err(),
            expected,
            "case {name}"
        );
    }
}

#[test]
fn order_comments_and_cdata_are_taken_as_xml_means_them() {
    let plan = personal().plan("214").unwrap();
    let line = "<Document>\n<InAcctEntDel><DelRecCode>T9<![CDATA[99]]>&#57;</DelRecCode>\
                <!-- x --><InfRecType>214</InfRecType></InAcctEntDel></Document>";
    let record = plan.read(line.as_bytes()).unwrap();
    assert_eq!(plan.validate(&record, &header("214")), []);
    let mut written = Vec::new();
    plan.write(&record, &mut written).unwrap();
    let expected = "<Document><InAcctEntDel><InfRecType>214</InfRecType>\
                    <DelRecCode>T9999</DelRecCode></InAcctEntDel></Document>";
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn a_record_shows_no_value_in_debug() {
    let plan = personal().plan("110").unwrap();
    let record = plan.read(samples("110")[0].1.as_bytes()).unwrap();
    let shown = format!("{record:?}");
    assert!(shown.starts_with("Record(") && !shown.contains("测试甲") && !shown.contains("1988"));
}

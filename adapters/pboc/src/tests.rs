//! The contract's suite over samples of this dialect, and its property.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::conformance::{Case, Sample, Samples, findings, run_offline};
use contract::{Adapter, Failure, Happened, InquiryRequest, Outcome, Terms, WireReply};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use schemas::message::Message;
use schemas::xml::{Limits, leaves};
use zeroize::Zeroizing;

use crate::{Pboc, escape};

pub(crate) const REPORT: &str = include_str!("../testdata/report.xml");
pub(crate) const ENTERPRISE_REPORT: &str = include_str!("../testdata/enterprise-report.xml");
const TROUBLED_REPORT: &str = include_str!("../testdata/enterprise-report-troubled.xml");
pub(crate) const SIGNATURE: &[u8] = b"SYNTHETIC-DETACHED-SIGNATURE";
pub(crate) const HEADER: &str =
    "B2.0.0B0000000000001Z99990000H000120260316100501D10220260316000000010000000000\r\n";

pub(crate) fn request() -> InquiryRequest {
    InquiryRequest {
        product: "personal_report".to_owned(),
        subject_name: Zeroizing::new("示例乙".to_owned()),
        id_type: "10".to_owned(),
        id_number: Zeroizing::new("99000019880412024X".to_owned()),
        reason: "02".to_owned(),
        institution_code: "Z99990000H0001".to_owned(),
        originator_code: "Z99990000H0001".to_owned(),
        user: "demo_query_user".to_owned(),
        password: Zeroizing::new("Example-1".to_owned()),
        originator_user: "demo_query_user".to_owned(),
        serial: 1,
        at: "2026-03-16T02:05:00Z".parse().unwrap(),
    }
}

/// About the enterprise of the sample report.
pub(crate) fn enterprise() -> InquiryRequest {
    InquiryRequest {
        product: "enterprise_report".to_owned(),
        subject_name: Zeroizing::new("样例精工机械有限公司".to_owned()),
        id_type: "20".to_owned(),
        id_number: Zeroizing::new("91999900MA0000015N".to_owned()),
        reason: "01".to_owned(),
        ..request()
    }
}

pub(crate) fn soap(message: &str) -> Vec<u8> {
    let mut body = "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body>\
        <q:psCreditReportQueryReqResponse xmlns:q=\"http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/\"><return>"
        .to_owned();
    escape::escape_into(&mut body, message);
    body.push_str("</return></q:psCreditReportQueryReqResponse></S:Body></S:Envelope>");
    body.into_bytes()
}

pub(crate) fn d102(code: &str, report: &str) -> String {
    let mut message = HEADER.to_owned();
    let _ = write!(
        message,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document><Msg><ResultCode>{code}</ResultCode>\
         <ResultDesc>示例</ResultDesc><ReportName>2026031600000001.xml</ReportName>\
         <ReportMessage>{report}</ReportMessage></Msg></Document>{{S:{}:S}}",
        STANDARD.encode(SIGNATURE),
    );
    message
}

pub(crate) fn d104(code: &str, report: &str) -> String {
    d102(code, report).replacen("D102", "D104", 1)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A reply with this report, in Base64 only.
fn hit(report: &[u8]) -> Vec<u8> {
    soap(&d102("AAA000", &STANDARD.encode(report)))
}

pub(crate) fn answer(body: &[u8]) -> Outcome {
    reply(200, body)
}

pub(crate) fn reply(status: u16, body: &[u8]) -> Outcome {
    let conversation = Pboc::new().inquire(request()).unwrap();
    run_offline(conversation, SIGNATURE, |_| {
        Happened::Replied(WireReply {
            status,
            body: Zeroizing::new(body.to_vec()),
        })
    })
}

pub(crate) fn enterprise_answer(body: &[u8]) -> Outcome {
    enterprise_answer_to(&enterprise(), body)
}

pub(crate) fn enterprise_answer_to(asked: &InquiryRequest, body: &[u8]) -> Outcome {
    let conversation = Pboc::new().inquire(asked.clone()).unwrap();
    run_offline(conversation, SIGNATURE, |_| {
        Happened::Replied(WireReply {
            status: 200,
            body: Zeroizing::new(body.to_vec()),
        })
    })
}

/// Outcome and its code in a word, for tables.
pub(crate) fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) if answer.partial => format!("partial {}", answer.code),
        Outcome::Answered(answer) => format!("report {}", answer.code),
        Outcome::NoHit { code } => format!("no hit {code}"),
        Outcome::Rejected(r) if r.listed => format!("refused {}", r.code),
        Outcome::Rejected(rejection) => format!("unlisted {}", rejection.code),
        Outcome::Undecided { code } => format!("undecided {code}"),
        Outcome::Unreadable { defect, .. } => format!("unreadable {defect}"),
        Outcome::Failed(Failure::Unknown { cause }) => format!("unknown {cause}"),
        other => format!("{other:?}"),
    }
}

fn samples() -> Samples {
    let short = REPORT.replace("</PRH>", "</PRH><!-- rest left out -->");
    let bomb = REPORT.replace(
        "<Document>",
        "<!DOCTYPE Document [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><Document>",
    );
    let deep = REPORT.replace(
        "<PRH>",
        &("<x>".repeat(100_000) + &"</x>".repeat(100_000) + "<PRH>"),
    );
    let golden = include_str!("../testdata/response.msg");
    let mut gbk = hit(REPORT.as_bytes());
    let at = gbk.windows(6).position(|w| w == "示例".as_bytes()).unwrap();
    gbk.splice(at..at + 6, [0xca, 0xbe, 0xc0, 0xfd]);
    let mut padded = gzip(REPORT.as_bytes());
    padded.extend(b"0000");
    let mut wrong_size = gzip(REPORT.as_bytes());
    let last = wrong_size.len() - 1;
    wrong_size[last] ^= 1;
    let base64 = STANDARD.encode(REPORT);
    let sample = |name, case, body| Sample { name, case, body };
    let whole = || Case::Hit(REPORT.as_bytes().to_vec());
    Samples {
        request: request(),
        signature: SIGNATURE.to_vec(),
        body: include_str!("../testdata/request-soap.xml")
            .replace(
                &"0".repeat(64),
                // `printf Example-1 | openssl dgst -sm3`
                "ae4d684181958db0f80f0d1be132a058fea2c588d32e010c3e8ff4c0925c2b1b",
            )
            .into_bytes(),
        replies: vec![
            sample("sample, gzip", whole(), soap(golden)),
            sample("base64 only", whole(), hit(REPORT.as_bytes())),
            sample("base64 in lines", whole(), {
                let lines: Vec<_> = base64
                    .as_bytes()
                    .chunks(76)
                    .map(String::from_utf8_lossy)
                    .collect();
                soap(&d102("AAA000", &lines.join("\r\n")))
            }),
            sample(
                "shortened",
                Case::Partial,
                soap(&d102("DBO004", &STANDARD.encode(short))),
            ),
            sample("no report", Case::NoHit, soap(&d102("AAA001", ""))),
            sample(
                "sample, refused",
                Case::Refused,
                soap(&(HEADER.to_owned() + include_str!("../testdata/response-error.xml"))),
            ),
            sample("busy", Case::Undecided, soap(&d102("ATO001", ""))),
            sample("unlisted", Case::UnlistedCode, soap(&d102("DBE999", ""))),
            sample("other subject", Case::OtherSubject, {
                hit(REPORT
                    .replace("99000019880412024X", "990000198804120250")
                    .as_bytes())
            }),
            sample("reply in gbk", Case::WrongEncoding, gbk),
            sample("report says gbk", Case::WrongEncoding, {
                hit(REPORT.replace("\"UTF-8\"", "\"GBK\"").as_bytes())
            }),
            sample("reply in utf-16", Case::WrongEncoding, {
                let text = String::from_utf8(hit(REPORT.as_bytes())).unwrap();
                let units = std::iter::once(0xfeff).chain(text.encode_utf16());
                units.flat_map(u16::to_le_bytes).collect()
            }),
            sample("reply beyond the limit", Case::Oversize, {
                hit(&vec![b'a'; crate::response::MAX_REPLY_BYTES])
            }),
            sample("gzip bomb", Case::Oversize, {
                soap(&d102(
                    "AAA000",
                    &STANDARD.encode(gzip(&vec![b' '; 65 << 20])),
                ))
            }),
            sample("short header", Case::WrongLength, {
                soap(&golden.replacen("B2.0.0B", "B2.0.0", 1))
            }),
            sample("base64 less one", Case::WrongLength, {
                soap(&d102("AAA000", &base64[..base64.len() - 1]))
            }),
            sample("base64 less eight", Case::WrongLength, {
                soap(&d102("AAA000", &base64[..base64.len() - 8]))
            }),
            sample("gzip of other size", Case::WrongLength, {
                soap(&d102("AAA000", &STANDARD.encode(wrong_size)))
            }),
            sample("gzip and more", Case::WrongLength, {
                soap(&d102("AAA000", &STANDARD.encode(padded)))
            }),
            sample("bomb in report", Case::EntityBomb, hit(bomb.as_bytes())),
            sample("bomb in envelope", Case::EntityBomb, {
                let text = String::from_utf8(soap(golden)).unwrap();
                format!("<!DOCTYPE a [<!ENTITY b \"bb\">]>{text}").into_bytes()
            }),
            sample("deep in report", Case::DeepNesting, hit(deep.as_bytes())),
            sample("deep in envelope", Case::DeepNesting, {
                "<a>".repeat(100_000).into_bytes()
            }),
        ],
    }
}

/// The samples of a person, as those of an enterprise.
fn enterprise_samples() -> Samples {
    let person = samples();
    let (their_id, id) = ("99000019880412024X", "91999900MA0000015N");
    let Ok(body) = String::from_utf8(person.body) else {
        panic!("the golden body is text");
    };
    let mut body = body
        .replace("psCreditReportQueryReq", "bsCreditReportQueryReq")
        .replacen("D101", "D103", 1)
        .replace("FW_GRXYBG_0074", "FW_QYXYBG_0043")
        .replace("示例乙", "样例精工机械有限公司")
        .replace(their_id, id);
    for (from, to) in [
        ("Name&gt;", "EntName&gt;"),
        ("IDType&gt;", "EntCertType&gt;"),
        ("IDNum&gt;", "EntCertNum&gt;"),
    ] {
        body = body.replace(&format!("&lt;{from}"), &format!("&lt;{to}"));
        body = body.replace(&format!("&lt;/{from}"), &format!("&lt;/{to}"));
    }
    body = body
        .replace("EntCertType&gt;10", "EntCertType&gt;20")
        .replace("QueryReason&gt;02", "QueryReason&gt;01");
    let packed = |report: &str| STANDARD.encode(gzip(report.as_bytes()));
    let hit = |report: &str| soap(&d104("AAA000", &packed(report)));
    let report = ENTERPRISE_REPORT;
    let sample = |name, case, body| Sample { name, case, body };
    let bomb = report.replace("<Document>", "<!DOCTYPE a [<!ENTITY b \"bb\">]><Document>");
    let deep = "<x>".repeat(100_000) + &"</x>".repeat(100_000);
    Samples {
        request: enterprise(),
        signature: person.signature,
        body: body.into_bytes(),
        replies: vec![
            sample("report", Case::Hit(report.into()), hit(report)),
            sample(
                "shortened",
                Case::Partial,
                soap(&d104("DBO004", &packed(report))),
            ),
            sample("no report", Case::NoHit, soap(&d104("AAA001", ""))),
            sample("refused", Case::Refused, soap(&d104("DBE007", ""))),
            sample("busy", Case::Undecided, soap(&d104("ATO001", ""))),
            sample("unlisted", Case::UnlistedCode, soap(&d104("QQQ999", ""))),
            sample(
                "other subject",
                Case::OtherSubject,
                hit(&report.replace(id, their_id)),
            ),
            sample("report says gbk", Case::WrongEncoding, {
                hit(&report.replace("\"UTF-8\"", "\"GBK\""))
            }),
            sample("gzip bomb", Case::Oversize, {
                soap(&d104(
                    "AAA000",
                    &STANDARD.encode(gzip(&vec![b' '; 65 << 20])),
                ))
            }),
            sample("base64 less one", Case::WrongLength, {
                let packed = packed(report);
                soap(&d104("AAA000", &packed[..packed.len() - 1]))
            }),
            sample("bomb in report", Case::EntityBomb, hit(&bomb)),
            sample("deep in report", Case::DeepNesting, {
                hit(&report.replace("<EBA>", &(deep + "<EBA>")))
            }),
        ],
    }
}

#[test]
fn the_dialect_keeps_every_promise_of_the_contract() {
    for samples in [samples(), enterprise_samples()] {
        assert_eq!(findings(&Pboc::new(), &samples), Vec::<String>::new());
    }
}

#[test]
fn both_samples_of_enterprise_reports_are_about_their_enterprise() {
    for (report, id_type, number) in [
        (ENTERPRISE_REPORT, "10", "9999000000000017"),
        (ENTERPRISE_REPORT, "20", "91999900MA0000015N"),
        (TROUBLED_REPORT, "10", "9999000000000025"),
        (TROUBLED_REPORT, "20", "91999900MA0000031C"),
        (TROUBLED_REPORT, "30", "MA0000031"),
    ] {
        let mut asked = enterprise();
        asked.id_type = id_type.to_owned();
        asked.id_number = Zeroizing::new(number.to_owned());
        let body = soap(&d104("AAA000", &STANDARD.encode(gzip(report.as_bytes()))));
        let outcome = enterprise_answer_to(&asked, &body);
        assert_eq!(word(&outcome), "report AAA000", "{id_type}");
    }
}

#[test]
fn reasons_and_services_are_those_of_the_institution() {
    let terms = |service: Option<&str>, reasons: Option<&str>| Terms {
        service: service.map(str::to_owned),
        reasons: reasons.map(str::to_owned),
    };
    let under =
        |product: &str, terms: Terms| Pboc::new().under(&[(product.to_owned(), terms)].into());
    let plain = Pboc::new();
    let reason = |adapter: &dyn Adapter, product, purpose| {
        adapter.reason_code(product, purpose).map(str::to_owned)
    };
    assert_eq!(
        reason(&plain, "enterprise_report", "loan_approval").as_deref(),
        Some("01")
    );
    assert_eq!(
        reason(&plain, "personal_report", "loan_approval").as_deref(),
        Some("02")
    );
    assert_eq!(reason(&plain, "enterprise_report", "officer_check"), None);
    let other = under(
        "enterprise_report",
        terms(Some("FW_QYXYBG_0087"), Some("2004-B")),
    );
    let other = other.unwrap().unwrap();
    assert_eq!(
        reason(&*other, "enterprise_report", "loan_approval").as_deref(),
        Some("10")
    );
    assert_eq!(
        reason(&*other, "personal_report", "loan_approval").as_deref(),
        Some("02")
    );
    let mut sent = String::new();
    let asked = InquiryRequest {
        reason: "10".to_owned(),
        ..enterprise()
    };
    run_offline(other.inquire(asked).unwrap(), SIGNATURE, |wire| {
        sent = String::from_utf8(wire.body.to_vec()).unwrap();
        Happened::Failed(Failure::Unknown { cause: "cut" })
    });
    assert!(sent.contains("FW_QYXYBG_0087") && !sent.contains("FW_QYXYBG_0043"));
    for (product, terms, code) in [
        ("score", Terms::default(), "there is no product score"),
        (
            "personal_report",
            terms(None, Some("2004")),
            "product personal_report: there is no list of reasons 2004",
        ),
        (
            "personal_report",
            terms(Some("<x>"), None),
            "product personal_report: the service code must be 1 to 100 letters, digits or _",
        ),
    ] {
        assert_eq!(under(product, terms).err().unwrap().to_string(), code);
    }
    assert!(
        Pboc::new()
            .under(&std::collections::BTreeMap::new())
            .unwrap()
            .is_none()
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_an_answer(body in prop::collection::vec(any::<u8>(), 0..2048)) {
        prop_assert!(!matches!(answer(&body), Outcome::Answered(_)));
    }

    #[test]
    fn an_arbitrary_message_is_never_an_answer(code in "[A-Z]{3}00[0-9]", report in ".{0,200}") {
        prop_assert!(!matches!(answer(&soap(&d102(&code, &report))), Outcome::Answered(_)));
    }

    /// What is asked for is what the format's own table reads back.
    #[test]
    fn what_fits_reads_back_and_all_else_is_refused(
        name in ".{0,32}",
        id_number in "[0-9A-Z<&\\]> ]{0,22}",
        user in "[ -~]{0,66}",
        serial in 0..200_000_000u32,
    ) {
        let mut asked = request();
        (asked.subject_name, asked.id_number) = (Zeroizing::new(name), Zeroizing::new(id_number));
        (asked.user, asked.serial) = (user, serial);
        let mut body = None;
        match Pboc::new().inquire(asked.clone()) {
            Err(error) => prop_assert!(!error.fields.is_empty()),
            Ok(conversation) => {
                run_offline(conversation, SIGNATURE, |wire| {
                    body = Some(wire.body);
                    Happened::Failed(Failure::Unknown { cause: "cut" })
                });
                let mut message = String::new();
                let envelope = body.unwrap_or_default();
                leaves(&envelope, Limits::default(), |_, text| text.clone_into(&mut message))?;
                let xml = &message[80..message.rfind("{S:").unwrap_or(0)];
                let fields = Message::named("D101").unwrap().read(xml.as_bytes(), Limits::default())?;
                prop_assert_eq!(fields.get("Name"), Some(asked.subject_name.as_str()));
                prop_assert_eq!(fields.get("IDNum"), Some(asked.id_number.as_str()));
                prop_assert_eq!(fields.get("UserCode"), Some(asked.user.as_str()));
                prop_assert_eq!(&message[60..68], format!("{serial:08}"));
            }
        }
    }

    /// The sum in GZIP, and the subject, guard the report on its way.
    #[test]
    fn a_changed_reply_is_never_another_report(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = soap(include_str!("../testdata/response.msg"));
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Outcome::Answered(answer) = answer(&body) {
            prop_assert_eq!(&answer.report[..], REPORT.as_bytes());
        }
    }
}

//! What the bureau decides on a message: its result code and the report.

use jiff::Timestamp;

use schemas::message::Interface;

use crate::{
    document::{Asks, Change, Fields},
    inbox::{Inquiry, bureau_time},
    members::Members,
    message::{CENTER, Defect, Parts},
    report::{self, Facts},
    soap::Operation,
    subjects::{self, Sample, Says},
};

/// A decision.
pub(crate) struct Verdict {
    pub(crate) operation: Operation,
    pub(crate) message_id: Option<String>,
    /// The institution that is answered.
    pub(crate) institution: String,
    pub(crate) inquiry: Option<Inquiry>,
    pub(crate) code: &'static str,
    /// Said beside the code.
    pub(crate) description: String,
    pub(crate) report: Option<String>,
}

/// Decides on one message. `serial` numbers the reports of a run;
/// `least_report_bytes` is the size to which every report of a person is filled
/// up.
pub(crate) fn judge(
    operation: Operation,
    message: &str,
    members: &Members,
    at: Timestamp,
    serial: u64,
    least_report_bytes: usize,
) -> Verdict {
    let mut verdict = Verdict {
        operation,
        message_id: None,
        institution: "0".repeat(14),
        inquiry: None,
        code: "",
        description: String::new(),
        report: None,
    };
    let Operation::Ask(asks) = operation else {
        match change(message, members, &mut verdict) {
            Ok(code) => {
                verdict.code = code;
                verdict.description = description(code).to_owned();
            }
            Err(defect) => {
                verdict.code = defect.code();
                verdict.description = defect.reason().to_owned();
            }
        }
        return verdict;
    };
    match read(message, asks, members, &mut verdict) {
        Err(defect) => {
            verdict.code = defect.code();
            verdict.description = defect.reason().to_owned();
        }
        Ok(fields) => {
            let says = refusal(&fields, asks, &verdict.institution, members).map_or_else(
                || match asks {
                    Asks::Enterprise => subjects::enterprise_says(&fields.id_number),
                    Asks::Person => subjects::says(&fields.id_type, &fields.id_number),
                },
                Says::Refusal,
            );
            let part = match asks {
                Asks::Enterprise => Sample::Enterprise,
                Asks::Person => Sample::Normal,
            };
            let (code, report) = match says {
                Says::NoHit => ("AAA001", None),
                Says::Partial => ("DBO004", Some((part, 0))),
                Says::Refusal(code) => (code, None),
                Says::Report { sample, min_bytes } => ("AAA000", Some((sample, min_bytes))),
            };
            verdict.code = code;
            verdict.description = description(code).to_owned();
            verdict.report = report.map(|(sample, min_bytes)| {
                let facts = Facts {
                    number: &format!("{}{serial:08}", bureau_time(at, "%Y%m%d%H%M%S")),
                    made_at: &bureau_time(at, "%Y-%m-%dT%H:%M:%S"),
                    name: &fields.name,
                    id_type: &fields.id_type,
                    id_number: &fields.id_number,
                    institution: &fields.query_org,
                    reason: &fields.reason,
                };
                report::write(sample, min_bytes.max(least_report_bytes), &facts)
            });
        }
    }
    verdict
}

/// Changes a password, and notes in the verdict whatever could be read.
fn change(message: &str, members: &Members, verdict: &mut Verdict) -> Result<&'static str, Defect> {
    let parts = Parts::split(message, verdict.operation.kinds().0)?;
    verdict.message_id = Some(parts.header.message_id.to_owned());
    verdict.institution = parts.header.sender.to_owned();
    let change = parts.change()?;
    parts.verify(members.key(parts.header.sender))?;
    let Change {
        query_org,
        user,
        password,
        whose,
        old,
        new,
    } = &change;
    let knows = members.knows_user(query_org, user) && user == whose;
    Ok(if parts.header.sender != query_org {
        "DBO001"
    } else if !knows {
        "ABE002"
    } else if !members.admits(query_org, user, password) || !members.holds(query_org, user, old) {
        "ABE001"
    } else if !(8..=16).contains(&new.len()) || new == old {
        "GBE004"
    } else {
        members.change(query_org, user, new);
        "AAA003"
    })
}

/// Reads the message, and notes in the verdict whatever could be read of it.
fn read(
    message: &str,
    asks: Asks,
    members: &Members,
    verdict: &mut Verdict,
) -> Result<Fields, Defect> {
    let parts = Parts::split(message, verdict.operation.kinds().0)?;
    verdict.message_id = Some(parts.header.message_id.to_owned());
    verdict.institution = parts.header.sender.to_owned();
    let fields = parts.fields(asks)?;
    verdict.inquiry = Some(Inquiry {
        institution: fields.query_org.clone(),
        user: fields.user.clone(),
        subject_name: fields.name.clone(),
        id_type: fields.id_type.clone(),
        id_number: fields.id_number.clone(),
        reason: fields.reason.clone(),
    });
    parts.verify(members.key(parts.header.sender))?;
    Ok(fields)
}

/// The first check that the fields fail.
fn refusal(fields: &Fields, asks: Asks, sender: &str, members: &Members) -> Option<&'static str> {
    let length = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    let digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Fields {
        query_org,
        user,
        originator,
        originator_user,
        ..
    } = fields;
    let checks = [
        (sender == query_org, "DBO001"),
        (query_org.len() == 14 && members.knows(query_org), "DBE008"),
        (
            length(user, 64) && members.knows_user(query_org, user),
            "DBE015",
        ),
        // The table has no code for a wrong password; it is a check of the user.
        (
            digest(&fields.password) && members.admits(query_org, user, &fields.password),
            "DBE015",
        ),
        (
            originator.len() == 14 && members.knows(originator),
            "DBE009",
        ),
        (members.may_ask_for(query_org, originator), "DBO002"),
        (
            length(originator_user, 64) && members.knows_user(originator, originator_user),
            "DBE016",
        ),
    ];
    let Fields {
        name,
        id_type,
        id_number,
        ..
    } = fields;
    let subject = match asks {
        Asks::Person => [
            (fields.service == PERSONAL_REPORT, "DBE014"),
            (QUERY_REASONS.contains(&fields.reason.as_str()), "DBE001"),
            (length(name, 30), "DBE002"),
            (ID_TYPES.contains(&id_type.as_str()), "DBE003"),
            (length(id_number, 20), "DBE004"),
            (
                id_type != "10" || subjects::is_synthetic(id_number),
                "DBE004",
            ),
        ],
        Asks::Enterprise => [
            (fields.service == ENTERPRISE_REPORT, "DBE014"),
            (
                ENTERPRISE_REASONS.contains(&fields.reason.as_str()),
                "DBE001",
            ),
            (length(name, 80), "DBE005"),
            (ENTERPRISE_TYPES.contains(&id_type.as_str()), "DBE006"),
            (length(id_number, 20), "DBE007"),
            (
                subjects::is_synthetic_enterprise(id_type, id_number),
                "DBE007",
            ),
        ],
    };
    checks
        .into_iter()
        .chain(subject)
        .find_map(|(holds, code)| (!holds).then_some(code))
}

/// The message that answers.
pub(crate) fn reply(verdict: &Verdict, at: Timestamp, encoded_report: &str) -> String {
    let Verdict {
        institution,
        code,
        description,
        ..
    } = verdict;
    let message_id = verdict.message_id.as_deref().unwrap_or("0000000000000000");
    let time = bureau_time(at, "%Y%m%d%H%M%S");
    let (_, kind) = verdict.operation.kinds();
    let rest = match verdict.operation {
        Operation::ChangePassword => String::new(),
        Operation::Ask(Asks::Enterprise) => {
            format!("  <ReportMessage>{encoded_report}</ReportMessage>\n")
        }
        Operation::Ask(Asks::Person) => {
            let name = match encoded_report {
                "" => String::new(),
                _ => format!("{message_id}.xml"),
            };
            format!(
                "  <ReportName>{name}</ReportName>\n  \
                 <ReportMessage>{encoded_report}</ReportMessage>\n"
            )
        }
    };
    format!(
        "B2.0.0{CENTER}{institution}{time}{kind}{message_id}0000000000\r\n\
         <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document>\n <Msg>\n  \
         <ResultCode>{code}</ResultCode>\n  <ResultDesc>{description}</ResultDesc>\n\
         {rest} </Msg>\n</Document>{{S:{SIGNATURE}:S}}"
    )
}

/// The dictionary is shared with the adapters; nothing else is.
fn description(code: &str) -> &'static str {
    let known = Interface::Personal.result_code(code);
    known.map_or("", |known| known.meaning.zh)
}

/// Whether answers are signed is not known; clients do not read this.
const SIGNATURE: &str = "TU9DSy1CVVJFQVU=";

/// The services of which the mock has reports (SERVICE_CODE).
const PERSONAL_REPORT: &str = "FW_GRXYBG_0074";
const ENTERPRISE_REPORT: &str = "FW_QYXYBG_0043";

/// Table 2002 in `codes.tsv` of the enterprise interface.
const ENTERPRISE_TYPES: [&str; 14] = [
    "01", "02", "03", "04", "05", "06", "07", "08", "10", "20", "30", "41", "42", "99",
];

/// Table 2004 there.
const ENTERPRISE_REASONS: [&str; 7] = ["01", "02", "03", "04", "05", "17", "18"];

/// ID_TYPE in `codes.tsv`.
const ID_TYPES: [&str; 12] = ["10", "1", "2", "5", "6", "8", "9", "A", "B", "C", "X", "20"];

/// QUERY_REASON in `codes.tsv`.
const QUERY_REASONS: [&str; 15] = [
    "01", "02", "03", "08", "19", "22", "23", "25", "09", "16", "18", "20", "21", "24", "26",
];

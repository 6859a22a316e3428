//! What the bureau decides on a D101 message: its result code and the report.

use jiff::Timestamp;

use crate::{
    document::Fields,
    inbox::{Inquiry, bureau_time},
    members::Members,
    message::{CENTER, Defect, Parts},
    report::{self, Facts},
    subjects::{self, Sample, Says},
};

/// A decision.
pub(crate) struct Verdict {
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
/// `least_report_bytes` is the size to which every report is filled up.
pub(crate) fn judge(
    message: &str,
    members: &Members,
    at: Timestamp,
    serial: u64,
    least_report_bytes: usize,
) -> Verdict {
    let mut verdict = Verdict {
        message_id: None,
        institution: "0".repeat(14),
        inquiry: None,
        code: "",
        description: String::new(),
        report: None,
    };
    match read(message, members, &mut verdict) {
        Err(defect) => {
            verdict.code = defect.code();
            verdict.description = defect.reason().to_owned();
        }
        Ok(fields) => {
            let says = refusal(&fields, &verdict.institution, members).map_or_else(
                || subjects::says(&fields.id_type, &fields.id_number),
                Says::Refusal,
            );
            let (code, report) = match says {
                Says::NoHit => ("AAA001", None),
                Says::Partial => ("DBO004", Some((Sample::Normal, 0))),
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

/// Reads the message, and notes in the verdict whatever could be read of it.
fn read(message: &str, members: &Members, verdict: &mut Verdict) -> Result<Fields, Defect> {
    let parts = Parts::split(message)?;
    verdict.message_id = Some(parts.header.message_id.to_owned());
    verdict.institution = parts.header.sender.to_owned();
    let fields = parts.fields()?;
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
fn refusal(fields: &Fields, sender: &str, members: &Members) -> Option<&'static str> {
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
        (fields.service == PERSONAL_REPORT, "DBE014"),
        (QUERY_REASONS.contains(&fields.reason.as_str()), "DBE001"),
        (length(&fields.name, 30), "DBE002"),
        (ID_TYPES.contains(&fields.id_type.as_str()), "DBE003"),
        (length(&fields.id_number, 20), "DBE004"),
        (
            fields.id_type != "10" || subjects::is_synthetic(&fields.id_number),
            "DBE004",
        ),
    ];
    checks
        .into_iter()
        .find_map(|(holds, code)| (!holds).then_some(code))
}

/// The message D102.
pub(crate) fn reply(verdict: &Verdict, at: Timestamp, encoded_report: &str) -> String {
    let Verdict {
        institution,
        code,
        description,
        ..
    } = verdict;
    let message_id = verdict.message_id.as_deref().unwrap_or("0000000000000000");
    let time = bureau_time(at, "%Y%m%d%H%M%S");
    let name = if encoded_report.is_empty() {
        String::new()
    } else {
        format!("{message_id}.xml")
    };
    format!(
        "B2.0.0{CENTER}{institution}{time}D102{message_id}0000000000\r\n\
         <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document>\n <Msg>\n  \
         <ResultCode>{code}</ResultCode>\n  <ResultDesc>{description}</ResultDesc>\n  \
         <ReportName>{name}</ReportName>\n  <ReportMessage>{encoded_report}</ReportMessage>\n \
         </Msg>\n</Document>{{S:{SIGNATURE}:S}}"
    )
}

/// The dictionary is shared with the adapters; nothing else is.
fn description(code: &str) -> &'static str {
    schemas::message::result_code(code).map_or("", |known| known.meaning.zh)
}

/// Whether answers are signed is not known; clients do not read this.
const SIGNATURE: &str = "TU9DSy1CVVJFQVU=";

/// The only service of which the mock has reports (SERVICE_CODE).
const PERSONAL_REPORT: &str = "FW_GRXYBG_0074";

/// ID_TYPE in `codes.tsv`.
const ID_TYPES: [&str; 12] = ["10", "1", "2", "5", "6", "8", "9", "A", "B", "C", "X", "20"];

/// QUERY_REASON in `codes.tsv`.
const QUERY_REASONS: [&str; 15] = [
    "01", "02", "03", "08", "19", "22", "23", "25", "09", "16", "18", "20", "21", "24", "26",
];

//! D201 asks where a batch file stands, D202 answers.

use contract::{
    BatchError, BatchQuestion, BatchState, Conversation, Failure, RequestError, WireReply,
};
use schemas::message::{Class, Interface};

use crate::codes;
use crate::response::{self, Deaf, Defect, document, limits, named, result_code};
use crate::wire::{self, Door, Exchange, Message, Sender};

/// Starts the question, or names every field that does not fit.
pub(crate) fn ask(
    question: BatchQuestion,
) -> Result<Box<dyn Conversation<BatchState>>, BatchError> {
    let digest = wire::sm3_hex(question.password.as_bytes());
    let item = |tag: &str| {
        Some(match tag {
            "FileName" => ("file", question.file.as_str()),
            "Password" => ("password", digest.as_str()),
            "QueryOrgCode" => ("institution_code", question.institution_code.as_str()),
            "UserCode" => ("user", question.user.as_str()),
            _ => return None,
        })
    };
    let value = |tag: &str| item(tag).map(|(_, value)| value);
    let format = named("D201");
    let mut fields: Vec<String> = format
        .check(value)
        .into_iter()
        .map(|defect| {
            let field = item(defect.tag).map_or(defect.tag, |(field, _)| field);
            defect.to_string().replacen(defect.tag, field, 1)
        })
        .collect();
    let mut must = |holds: bool, field: &str, defect: &str| {
        if !holds {
            fields.push(format!("{field}: {defect}"));
        }
    };
    for (field, text) in [
        ("file", &question.file),
        ("institution_code", &question.institution_code),
    ] {
        let what = "holds more than capital letters and digits";
        must(wire::is_plain(text), field, what);
    }
    let sender = Sender {
        institution_code: &question.institution_code,
        serial: question.serial,
        at: question.at,
    };
    wire::check_sender(&sender, must);
    if !fields.is_empty() {
        return Err(RequestError { fields }.into());
    }
    let message = Message::compose(Door::STATE, format, &sender, value);
    let (institution_code, file) = (question.institution_code.clone(), question.file.clone());
    Ok(Box::new(Exchange::new(message, move |reply| {
        read(&reply, &institution_code, &file)
    })))
}

fn read(reply: &WireReply, institution_code: &str, file: &str) -> BatchState {
    let heard = document(reply, institution_code, "D202");
    match heard.and_then(|text| Ok(judge(&text, file)?)) {
        Ok(state) => state,
        Err(Deaf::Failed(failure)) => failure.into(),
        Err(Deaf::Unreadable(defect)) => BatchState::Unreadable {
            defect: defect.code(),
        },
    }
}

fn judge(text: &str, file: &str) -> Result<BatchState, Defect> {
    let fields = named("D202").read(text.as_bytes(), limits(response::MAX_REPLY_BYTES))?;
    let code = result_code(fields.get("ResultCode"))?;
    let said = |tag: &str| fields.get(tag).unwrap_or_default().trim().to_owned();
    let class = Interface::Personal
        .result_code(&code)
        .map(|entry| entry.class);
    match class {
        Some(Class::Report) => {
            // The name stands in the answer (low): where it does, it is ours.
            if !["", file].contains(&said("FileName").as_str()) {
                return Err(Defect::Contradiction);
            }
            Ok(BatchState::Stands {
                code: said("StateCode"),
                words: said("StateDesc"),
            })
        }
        Some(Class::Undecided) => Ok(BatchState::Failed(Failure::Unknown {
            cause: "bureau_undecided",
        })),
        Some(Class::NoHit | Class::Partial) => Err(Defect::Contradiction),
        Some(Class::Rejected) | None => Ok(BatchState::Refused(codes::rejection(
            Interface::Personal,
            code,
        ))),
    }
}

#[cfg(test)]
mod tests {
    use contract::conformance::run_offline;
    use contract::{Adapter as _, Happened};
    use zeroize::Zeroizing;

    use super::*;
    use crate::Pboc;
    use crate::tests::{SIGNATURE, soap};

    const FILE: &str = "Z99990000H000120260316D5010030";

    fn question() -> BatchQuestion {
        BatchQuestion {
            file: FILE.to_owned(),
            institution_code: "Z99990000H0001".to_owned(),
            user: "demo_query_user".to_owned(),
            password: Zeroizing::new("Example-1".to_owned()),
            serial: 8,
            at: "2026-03-16T02:05:00Z".parse().unwrap(),
        }
    }

    fn state(code: &str, file: &str) -> BatchState {
        let message = format!(
            "B2.0.0B0000000000001Z99990000H000120260316100501D20220260316000000080000000000\r\n\
             <Document><Msg><FileName>{file}</FileName><ResultCode>{code}</ResultCode>\
             <ResultDesc>示例</ResultDesc><StateCode>2</StateCode><StateDesc>处理中</StateDesc>\
             </Msg></Document>"
        );
        let conversation = Pboc::new().batch_state(question()).unwrap();
        run_offline(conversation, SIGNATURE, |wire| {
            assert_eq!(wire.path, "/channel-query/ServiceAccept");
            let body = std::str::from_utf8(&wire.body).unwrap();
            assert!(body.contains("<q:statusQueryReq>") && body.contains("D2012026031600000008"));
            assert!(body.contains(FILE) && !body.contains("Example"));
            Happened::Replied(WireReply {
                status: 200,
                body: Zeroizing::new(soap(&message)),
            })
        })
    }

    #[test]
    fn the_state_of_a_file_is_told_in_the_words_of_the_bureau() {
        let stands = BatchState::Stands {
            code: "2".to_owned(),
            words: "处理中".to_owned(),
        };
        assert_eq!(state("AAA000", FILE), stands);
        assert_eq!(state("AAA000", ""), stands);
        let other = FILE.replace("003", "004");
        for (code, file, defect) in [
            ("AAA000", other.as_str(), "contradiction"),
            ("", FILE, "no_result_code"),
        ] {
            assert_eq!(state(code, file), BatchState::Unreadable { defect });
        }
        let BatchState::Refused(rejection) = state("DBE008", FILE) else {
            panic!("it was not refused");
        };
        assert!(rejection.listed);
        assert!(matches!(state("ATO001", FILE), BatchState::Failed(_)));
    }

    #[test]
    fn a_question_that_does_not_fit_is_not_sent() {
        let bad = BatchQuestion {
            file: "short".to_owned(),
            user: String::new(),
            ..question()
        };
        let Err(BatchError::Request(error)) = ask(bad).map(|_| ()) else {
            panic!("it was sent");
        };
        let expected = [
            "user: missing",
            "file: not 30 characters long",
            "file: holds more than capital letters and digits",
        ];
        assert_eq!(error.fields, expected);
    }
}

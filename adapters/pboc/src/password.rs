//! L101 changes the password of a user at the centre, L102 answers.

use contract::{Conversation, Failure, PasswordChange, PasswordOutcome, RequestError, WireReply};
use schemas::message::{Class, Interface};

use crate::codes;
use crate::response::{self, Deaf, Defect, document, limits, named, result_code};
use crate::wire::{self, Door, Exchange, Message, Sender};

/// Starts the change, or names every field that does not fit.
pub(crate) fn start(
    change: PasswordChange,
) -> Result<Box<dyn Conversation<PasswordOutcome>>, RequestError> {
    let digest = wire::sm3_hex(change.old.as_bytes());
    let message = message(&change, &digest)?;
    let institution_code = change.institution_code.clone();
    Ok(Box::new(Exchange::new(message, move |reply| {
        read(&reply, &institution_code)
    })))
}

fn message(change: &PasswordChange, digest: &str) -> Result<Message, RequestError> {
    let item = |tag: &str| {
        Some(match tag {
            "NPassword" => ("new", change.new.as_str()),
            "OPassword" => ("old", change.old.as_str()),
            "Password" => ("old", digest),
            "QueryOrgCode" => ("institution_code", change.institution_code.as_str()),
            "UserCode" => ("user", change.user.as_str()),
            _ => return None,
        })
    };
    let value = |tag: &str| item(tag).map(|(_, value)| value);
    let format = named("L101");
    let sender = Sender {
        institution_code: &change.institution_code,
        serial: change.serial,
        at: change.at,
    };
    let mut fields = Vec::new();
    for defect in format.check(value) {
        let field = item(defect.tag).map_or(defect.tag, |(field, _)| field);
        let finding = defect.to_string();
        let rest = finding.strip_prefix(defect.tag).unwrap_or(&finding);
        let finding = format!("{field}{rest}");
        // The user stands in head and body.
        if !fields.contains(&finding) {
            fields.push(finding);
        }
    }
    let mut must = |holds: bool, field: &str, defect: &str| {
        if !holds {
            fields.push(format!("{field}: {defect}"));
        }
    };
    let plain = wire::is_plain(&change.institution_code);
    let what = "holds more than capital letters and digits";
    must(plain, "institution_code", what);
    for (field, text) in [
        ("new", change.new.as_str()),
        ("old", change.old.as_str()),
        ("user", change.user.as_str()),
    ] {
        let graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
        must(
            graphic,
            field,
            "holds more than ASCII letters, digits and signs",
        );
    }
    must(change.new != change.old, "new", "is the old one");
    wire::check_sender(&sender, must);
    if fields.is_empty() {
        Ok(Message::compose(Door::PASSWORD, format, &sender, value))
    } else {
        Err(RequestError { fields })
    }
}

fn read(reply: &WireReply, institution_code: &str) -> PasswordOutcome {
    let heard = document(reply, institution_code, "L102");
    match heard.and_then(|text| Ok(judge(&text)?)) {
        Ok(outcome) => outcome,
        Err(Deaf::Failed(failure)) => failure.into(),
        Err(Deaf::Unreadable(defect)) => PasswordOutcome::Unreadable {
            defect: defect.code(),
        },
    }
}

/// `AAA003` says that the password was changed. `AAA000` says only that the
/// message was processed; what became of it stands in `ModifResultCode`, whose
/// values are not public (S2; medium), so that one beside it decides nothing.
fn judge(text: &str) -> Result<PasswordOutcome, Defect> {
    let fields = named("L102").read(text.as_bytes(), limits(response::MAX_REPLY_BYTES))?;
    let code = result_code(fields.get("ResultCode"))?;
    let said = fields.get("ModifResultCode").map(str::trim);
    let silent = said.is_none_or(str::is_empty);
    let listed = Interface::Personal.result_code(&code);
    Ok(match (code.as_str(), listed.map(|entry| entry.class)) {
        ("AAA003", _) => PasswordOutcome::Changed { code },
        ("AAA000", _) if silent => PasswordOutcome::Changed { code },
        ("AAA000", _) => PasswordOutcome::Unreadable {
            defect: "unknown_result_of_change",
        },
        (_, Some(Class::Undecided)) => PasswordOutcome::Failed(Failure::Unknown {
            cause: "bureau_undecided",
        }),
        (_, Some(Class::NoHit | Class::Partial | Class::Report)) => {
            return Err(Defect::Contradiction);
        }
        (_, Some(Class::Rejected) | None) => {
            PasswordOutcome::Refused(codes::rejection(Interface::Personal, code))
        }
    })
}

#[cfg(test)]
mod tests {
    use contract::conformance::run_offline;
    use contract::{Adapter as _, Happened};
    use schemas::xml::{Limits, leaves};
    use zeroize::Zeroizing;

    use super::*;
    use crate::Pboc;
    use crate::tests::{SIGNATURE, soap};

    fn change() -> PasswordChange {
        PasswordChange {
            institution_code: "Z99990000H0001".to_owned(),
            user: "demo_query_user".to_owned(),
            old: Zeroizing::new("Example-1".to_owned()),
            new: Zeroizing::new("Example<2".to_owned()),
            serial: 7,
            at: "2026-03-16T02:05:00Z".parse().unwrap(),
        }
    }

    fn answered(happened: impl FnOnce() -> Happened) -> PasswordOutcome {
        let conversation = Pboc::new().change_password(change()).unwrap();
        let mut happened = Some(happened);
        run_offline(conversation, SIGNATURE, |_| happened.take().unwrap()())
    }

    fn replied(status: u16, code: &str, more: &str) -> PasswordOutcome {
        let message = format!(
            "B2.0.0B0000000000001Z99990000H000120260316100501L10220260316000000070000000000\r\n\
             <Document><Msg><UserCode>demo_query_user</UserCode><ResultCode>{code}</ResultCode>\
             <ResultDesc>示例</ResultDesc>{more}</Msg></Document>"
        );
        answered(|| {
            Happened::Replied(WireReply {
                status,
                body: Zeroizing::new(soap(&message)),
            })
        })
    }

    fn word(outcome: &PasswordOutcome) -> String {
        match outcome {
            PasswordOutcome::Changed { code } => format!("changed {code}"),
            PasswordOutcome::Refused(it) => format!("refused {} {}", it.code, it.listed),
            PasswordOutcome::Unreadable { defect } => format!("unreadable {defect}"),
            PasswordOutcome::Failed(Failure::Unknown { cause }) => format!("unknown {cause}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_change_goes_out_signed_through_the_door_of_passwords() {
        let mut sent = None;
        let conversation = Pboc::new().change_password(change()).unwrap();
        run_offline(conversation, SIGNATURE, |wire| {
            sent = Some(wire);
            Happened::Failed(Failure::Unknown { cause: "cut" })
        });
        let wire = sent.unwrap();
        assert_eq!(wire.path, "/channel-change-password/ServiceAccept");
        let mut message = String::new();
        leaves(&wire.body, Limits::default(), |path, text| {
            assert_eq!(path, "Envelope/Body/passwordModifReq/querymessage");
            text.clone_into(&mut message);
        })
        .unwrap();
        assert_eq!(&message[48..68], "L1012026031600000007");
        let xml = &message[80..message.rfind("{S:").unwrap()];
        let format = named("L101");
        let read = Limits::default();
        // Head and body both name the user, so the reader of one tag is not enough.
        assert_eq!(format.elements().len(), 6);
        let mut values = Vec::new();
        leaves(xml.as_bytes(), read, |_, text| values.push(text.to_owned())).unwrap();
        // `printf Example-1 | openssl dgst -sm3`
        let digest = "ae4d684181958db0f80f0d1be132a058fea2c588d32e010c3e8ff4c0925c2b1b";
        let expected = [
            "Z99990000H0001",
            "demo_query_user",
            digest,
            "demo_query_user",
            "Example-1",
            "Example<2",
        ];
        assert_eq!(values, expected);
        let outside = format!("{:?} {wire:?} {:?}", change(), wire.headers);
        assert!(!outside.contains("Example"), "{outside}");
    }

    #[test]
    fn only_a_plain_answer_says_which_password_holds() {
        let modif = |value: &str| format!("<ModifResultCode>{value}</ModifResultCode>");
        for (status, code, more, expected) in [
            (200, "AAA003", String::new(), "changed AAA003"),
            (200, "AAA000", String::new(), "changed AAA000"),
            (200, "AAA000", modif(""), "changed AAA000"),
            (
                200,
                "AAA000",
                modif("1"),
                "unreadable unknown_result_of_change",
            ),
            (200, "ABE001", String::new(), "refused ABE001 true"),
            (200, "QQQ999", String::new(), "refused QQQ999 false"),
            (200, "ATO002", String::new(), "unknown bureau_undecided"),
            (200, "AAA001", String::new(), "unreadable contradiction"),
            (200, "", String::new(), "unreadable no_result_code"),
            (500, "AAA003", String::new(), "unknown status_5xx"),
        ] {
            let outcome = replied(status, code, &more);
            assert_eq!(word(&outcome), expected, "{status} {code} {more}");
        }
        for (failure, expected) in [
            (Failure::Unknown { cause: "cut" }, "unknown cut"),
            (
                Failure::NotSent { cause: "connect" },
                "Failed(NotSent { cause: \"connect\" })",
            ),
        ] {
            assert_eq!(word(&answered(|| Happened::Failed(failure))), expected);
        }
    }

    #[test]
    fn a_password_that_the_message_cannot_carry_is_named_and_not_shown() {
        let bad = PasswordChange {
            institution_code: "z9".to_owned(),
            user: String::new(),
            old: Zeroizing::new("口令".to_owned()),
            new: Zeroizing::new("seventeen-letters".to_owned()),
            serial: 100_000_000,
            ..change()
        };
        let error = start(bad).map(|_| ()).unwrap_err();
        let expected = [
            "institution_code: not 14 characters long",
            "user: missing",
            "new: longer than 16 characters",
            "institution_code: holds more than capital letters and digits",
            "old: holds more than ASCII letters, digits and signs",
            "serial: longer than 8 digits",
        ];
        assert_eq!(error.fields, expected);
        let same = PasswordChange {
            new: change().old,
            ..change()
        };
        let error = start(same).map(|_| ()).unwrap_err();
        assert_eq!(error.fields, ["new: is the old one"]);
    }
}

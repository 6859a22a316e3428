//! The rules that look at one authorization: QR-01 to QR-05 and QR-07 to QR-09.

use super::{Defect, text};
use crate::{
    authorizations::model::{Authorization, Evidence, Facts, Kind, Question, Validity},
    platform::clock::china_date,
};

/// QR-01: of this subject, and to inquire.
pub(super) fn to_inquire(question: &Question, it: &Authorization) -> bool {
    it.kind == Kind::Inquire && question.subject.as_ref() == Some(&it.subject)
}

pub(super) static NONE: Defect = Defect {
    code: "no_authorization",
    what: text(
        "没有该信息主体的查询授权",
        "there is no authorization of this subject to inquire",
    ),
    cure: text(
        "请信息主体签署查询授权并录入原件",
        "have the subject sign an authorization to inquire, and record its original",
    ),
};

/// QR-02. Signed or stored at the very moment of the inquiry is not later.
/// A blank date is QR-09, a missing original QR-08.
pub(super) fn before(
    question: &Question,
    _: &Facts,
    it: &Authorization,
) -> Option<&'static Defect> {
    static SIGNED: Defect = Defect {
        code: "signed_later",
        what: text(
            "授权签署晚于查询",
            "the authorization was signed after the inquiry",
        ),
        cure: text(
            "核对签署日期，或在签署之后再查询",
            "correct the date of signing, or inquire after it",
        ),
    };
    static STORED: Defect = Defect {
        code: "stored_later",
        what: text(
            "授权原件的存入晚于查询",
            "the original was stored after the inquiry",
        ),
        cure: text(
            "先存入原件，再查询",
            "store the original first, then inquire",
        ),
    };
    if it.signed_at.is_some_and(|signed| signed > question.at) {
        return Some(&SIGNED);
    }
    match it.evidence {
        Evidence::Intact { stored_at } if stored_at > question.at => Some(&STORED),
        _ => None,
    }
}

/// QR-03. The moment of withdrawal is withdrawn already, and the moment a
/// membership ends is after it; first and last day count in full, at +08:00.
pub(super) fn within(
    question: &Question,
    facts: &Facts,
    it: &Authorization,
) -> Option<&'static Defect> {
    static WITHDRAWN: Defect = Defect {
        code: "withdrawn",
        what: text("授权已撤回", "the authorization was withdrawn"),
        cure: text(
            "不得再查询；如信息主体同意，重新签署授权",
            "do not inquire; if the subject agrees again, have a new authorization signed",
        ),
    };
    static EARLY: Defect = Defect {
        code: "not_yet_valid",
        what: text("授权尚未生效", "the authorization is not valid yet"),
        cure: text("待授权生效后再查询", "inquire from its first day on"),
    };
    static EXPIRED: Defect = Defect {
        code: "expired",
        what: text("授权已过期", "the authorization has expired"),
        cure: text("请信息主体重新签署授权", "have a new authorization signed"),
    };
    static NOT_A_MEMBER: Defect = Defect {
        code: "membership_ended",
        what: text(
            "授权仅在用户期间有效，而用户身份不存在或已终止",
            "the authorization holds while the subject is a member, which they are not or ceased to be",
        ),
        cure: text(
            "恢复用户身份并重新签署授权，或另行取得授权",
            "record the membership; if one ended since the signing, have a new authorization signed",
        ),
    };
    if it
        .withdrawn_at
        .is_some_and(|withdrawn| withdrawn <= question.at)
    {
        return Some(&WITHDRAWN);
    }
    match it.validity {
        Validity::Days { from, until } => {
            let today = china_date(question.at);
            if today < from {
                Some(&EARLY)
            } else if until < today {
                Some(&EXPIRED)
            } else {
                None
            }
        }
        Validity::WhileMember => {
            let ended = |end: jiff::Timestamp| end <= question.at;
            let member = facts.memberships.iter().any(|membership| {
                membership.from <= question.at && !membership.until.is_some_and(ended)
            });
            let left = facts.memberships.iter().any(|membership| {
                membership
                    .until
                    .is_some_and(|end| ended(end) && it.signed_at.is_none_or(|signed| signed < end))
            });
            (!member || left).then_some(&NOT_A_MEMBER)
        }
    }
}

/// QR-04.
pub(super) fn purpose(
    question: &Question,
    _: &Facts,
    it: &Authorization,
) -> Option<&'static Defect> {
    static OTHER: Defect = Defect {
        code: "purpose_not_authorized",
        what: text(
            "授权不含此用途",
            "the authorization does not name this purpose",
        ),
        cure: text(
            "使用授权内的用途，或就此用途取得授权",
            "have an authorization signed that names this purpose",
        ),
    };
    (!it.purposes.contains(&question.purpose)).then_some(&OTHER)
}

/// QR-05.
pub(super) fn receiver(
    question: &Question,
    _: &Facts,
    it: &Authorization,
) -> Option<&'static Defect> {
    static INSTITUTION: Defect = Defect {
        code: "other_institution",
        what: text(
            "授权的被授权人是其他机构",
            "the authorization was given to another institution",
        ),
        cure: text(
            "请信息主体向本机构签署授权",
            "have an authorization signed that names this institution",
        ),
    };
    static BUREAU: Defect = Defect {
        code: "bureau_not_authorized",
        what: text(
            "授权不含该征信机构",
            "the authorization does not name this bureau",
        ),
        cure: text(
            "请信息主体就该征信机构单独授权",
            "have a separate authorization signed that names this bureau",
        ),
    };
    if it.institution != question.institution {
        Some(&INSTITUTION)
    } else if !it.bureaus.contains(&question.bureau) {
        Some(&BUREAU)
    } else {
        None
    }
}

/// QR-07: exact, after normalizing. Checksums need no second look: no
/// [`Identity`](crate::platform::identity::Identity) is made without a right
/// one. A blank signer is QR-09.
pub(super) fn identity(
    question: &Question,
    _: &Facts,
    it: &Authorization,
) -> Option<&'static Defect> {
    static DOCUMENT: Defect = Defect {
        code: "document_differs",
        what: text(
            "证件类型或号码与授权不一致",
            "document type or number differ from the authorization's",
        ),
        cure: CURE,
    };
    static NAME: Defect = Defect {
        code: "name_differs",
        what: text(
            "姓名（名称）与授权不一致",
            "the name differs from the authorization's",
        ),
        cure: CURE,
    };
    const CURE: super::Bilingual = text(
        "核对证件；如授权有误，请信息主体重新签署",
        "check the document; if the form is wrong, have a new authorization signed",
    );
    let signer = it.signer.as_ref()?;
    if signer.document() != question.identity.document() {
        Some(&DOCUMENT)
    } else if *signer != question.identity {
        Some(&NAME)
    } else {
        None
    }
}

/// QR-08.
pub(super) fn original(_: &Question, _: &Facts, it: &Authorization) -> Option<&'static Defect> {
    static ALTERED: Defect = Defect {
        code: "original_altered",
        what: text(
            "授权原件的摘要与录入时不符",
            "the original does not have the digest that was recorded",
        ),
        cure: text(
            "停止查询，报告合规部门，查明改动",
            "do not inquire; report it to compliance and find out what changed",
        ),
    };
    static MISSING: Defect = Defect {
        code: "original_missing",
        what: text(
            "授权原件未存入或无法打开",
            "the original is not stored or cannot be opened",
        ),
        cure: text(
            "连同原件重新录入授权",
            "record the authorization again, with its original",
        ),
    };
    match it.evidence {
        Evidence::Altered => Some(&ALTERED),
        Evidence::Intact { .. } => None,
        Evidence::Missing => Some(&MISSING),
    }
}

/// QR-09. A text is known from its first day on: who signed it earlier signed
/// something else.
pub(super) fn form(_: &Question, _: &Facts, it: &Authorization) -> Option<&'static Defect> {
    static PURPOSE: Defect = Defect {
        code: "form_without_purpose",
        what: text("授权书未填用途", "the form names no purpose"),
        cure: SIGN_ANEW,
    };
    if it.signed_at.is_some() && it.purposes.is_empty() {
        return Some(&PURPOSE);
    }
    complete(it)
}

const SIGN_ANEW: super::Bilingual = text(
    "请信息主体重新签署完整的授权书",
    "have a complete form signed anew",
);

/// QR-09, but for the purpose: who authorizes to provide names none.
pub(super) fn complete(it: &Authorization) -> Option<&'static Defect> {
    const CURE: super::Bilingual = SIGN_ANEW;
    static DATE: Defect = Defect {
        code: "form_without_date",
        what: text("授权书未填日期", "the form has no date"),
        cure: CURE,
    };
    static SIGNER: Defect = Defect {
        code: "form_without_signer",
        what: text("授权书未填签署人", "the form names no signer"),
        cure: CURE,
    };
    static SUBJECTS: Defect = Defect {
        code: "form_of_several",
        what: text(
            "一份授权书上有多个信息主体",
            "the form names several subjects",
        ),
        cure: text(
            "每个信息主体各签一份",
            "have one form signed by each subject",
        ),
    };
    static TEXT: Defect = Defect {
        code: "form_text_unknown",
        what: text(
            "授权文本的版本未登记，或签署时尚未启用",
            "the version of the text is not registered, or was not in force when signed",
        ),
        cure: text(
            "登记该版本的文本，或请信息主体签署现行文本",
            "register that version of the text, or have the current one signed",
        ),
    };
    let Some(signed_at) = it.signed_at else {
        return Some(&DATE);
    };
    if it.signer.is_none() {
        return Some(&SIGNER);
    }
    if it.subjects_on_form != 1 {
        return Some(&SUBJECTS);
    }
    let known = it
        .policy_first_day
        .is_some_and(|first| first <= china_date(signed_at));
    (!known).then_some(&TEXT)
}

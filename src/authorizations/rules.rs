//! The rules of law that an inquiry must satisfy: QR-01 to QR-09.
//!
//! None can be overridden: they are the law, not thresholds. QR-01 says which
//! authorizations count, QR-06 looks at the bureau, all others look at one
//! authorization. Each is a pure function; its boundaries are in its comment.

mod authorization;
mod bureau;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{Authorization, Facts, Question};

/// A rule. Its name is what an inspector asks for.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema,
)]
#[non_exhaustive]
pub enum RuleId {
    /// No authorization to inquire.
    #[serde(rename = "QR-01")]
    Qr01,
    /// Signed, or stored, after the inquiry.
    #[serde(rename = "QR-02")]
    Qr02,
    /// Outside its time.
    #[serde(rename = "QR-03")]
    Qr03,
    /// Another purpose.
    #[serde(rename = "QR-04")]
    Qr04,
    /// Another institution or bureau.
    #[serde(rename = "QR-05")]
    Qr05,
    /// A bureau without licence.
    #[serde(rename = "QR-06")]
    Qr06,
    /// Another person.
    #[serde(rename = "QR-07")]
    Qr07,
    /// No original.
    #[serde(rename = "QR-08")]
    Qr08,
    /// A defective form.
    #[serde(rename = "QR-09")]
    Qr09,
}

impl RuleId {
    /// As people and entries write it: `QR-01`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Qr01 => "QR-01",
            Self::Qr02 => "QR-02",
            Self::Qr03 => "QR-03",
            Self::Qr04 => "QR-04",
            Self::Qr05 => "QR-05",
            Self::Qr06 => "QR-06",
            Self::Qr07 => "QR-07",
            Self::Qr08 => "QR-08",
            Self::Qr09 => "QR-09",
        }
    }

    /// The rule itself.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        // The table stands in the order of the ids; a test holds it there.
        &RULES[self as usize]
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text in both languages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, ToSchema)]
pub struct Bilingual {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// One way to break a rule.
#[derive(Debug, Eq, PartialEq)]
pub struct Defect {
    /// Stable code, for programs.
    pub code: &'static str,
    /// What is wrong.
    pub what: Bilingual,
    /// What would make it right.
    pub cure: Bilingual,
}

/// A rule of law.
#[derive(Debug)]
pub struct Rule {
    /// Which one.
    pub id: RuleId,
    /// Where it comes from.
    pub source: Bilingual,
    /// What it demands.
    pub text: Bilingual,
    pub(super) check: Check,
}

/// What a rule looks at. `None` is satisfied.
#[derive(Debug)]
pub(super) enum Check {
    /// One authorization.
    Authorization(fn(&Question, &Facts, &Authorization) -> Option<&'static Defect>),
    /// The question, whatever was authorized.
    Question(fn(&Question, &Facts) -> Option<&'static Defect>),
    /// Which authorizations count at all; the defect is that none does.
    Counts(fn(&Question, &Authorization) -> bool, &'static Defect),
}

const fn text(zh: &'static str, en: &'static str) -> Bilingual {
    Bilingual { zh, en }
}

/// What keeps an authorization to provide from holding: the rules of one
/// authorization but that of the purpose, which it names none of.
pub(super) fn to_provide(
    question: &Question,
    facts: &Facts,
    it: &Authorization,
) -> Option<&'static Defect> {
    let rules = [
        authorization::receiver,
        authorization::before,
        authorization::within,
        authorization::identity,
        authorization::original,
    ];
    let broken = rules.iter().find_map(|rule| rule(question, facts, it));
    broken.or_else(|| authorization::complete(it))
}

/// All rules, in order.
pub static RULES: [Rule; 9] = [
    Rule {
        id: RuleId::Qr01,
        source: text(
            "《征信业管理条例》第十八条、第四十条",
            "Credit Reporting Regulation (State Council Order 631), Arts 18 and 40",
        ),
        text: text(
            "须有信息主体的查询授权",
            "the subject has authorized inquiries",
        ),
        check: Check::Counts(authorization::to_inquire, &authorization::NONE),
    },
    Rule {
        id: RuleId::Qr02,
        source: text(
            "《征信业管理条例》第十八条；授权晚于查询视同未取得授权",
            "Credit Reporting Regulation, Art 18; a later authorization counts as none",
        ),
        text: text(
            "授权的签署和原件的存入不得晚于查询",
            "it was signed, and its original stored, before the inquiry",
        ),
        check: Check::Authorization(authorization::before),
    },
    Rule {
        id: RuleId::Qr03,
        source: text(
            "《个人信息保护法》第十五条",
            "Personal Information Protection Law, Art 15",
        ),
        text: text(
            "授权须在有效期内，未撤回，用户身份未终止",
            "it is within its time, not withdrawn, and the membership has not ended",
        ),
        check: Check::Authorization(authorization::within),
    },
    Rule {
        id: RuleId::Qr04,
        source: text(
            "《征信业管理条例》第二十条",
            "Credit Reporting Regulation, Art 20",
        ),
        text: text("用途须在授权之内", "it names the purpose"),
        check: Check::Authorization(authorization::purpose),
    },
    Rule {
        id: RuleId::Qr05,
        source: text(
            "《个人信息保护法》第二十三条",
            "Personal Information Protection Law, Art 23",
        ),
        text: text(
            "被授权机构和征信机构须与授权一致",
            "it names the institution and the bureau",
        ),
        check: Check::Authorization(authorization::receiver),
    },
    Rule {
        id: RuleId::Qr06,
        source: text(
            "《征信业务管理办法》（中国人民银行令〔2021〕第4号）第五条",
            "Measures for Credit Reporting Business (PBOC Order [2021] No. 4), Art 5",
        ),
        text: text(
            "征信机构当日须有合法资质",
            "the bureau is licensed or filed today",
        ),
        check: Check::Question(bureau::licensed),
    },
    Rule {
        id: RuleId::Qr07,
        source: text(
            "《征信业管理条例》第十八条",
            "Credit Reporting Regulation, Art 18",
        ),
        text: text(
            "姓名（名称）、证件类型和号码须与授权一致",
            "name, document type and number are those of the authorization",
        ),
        check: Check::Authorization(authorization::identity),
    },
    Rule {
        id: RuleId::Qr08,
        source: text(
            "《电子签名法》第十三条、第十四条",
            "Electronic Signature Law, Arts 13 and 14",
        ),
        text: text(
            "授权原件须可调取且未被改动",
            "its original is stored and unchanged",
        ),
        check: Check::Authorization(authorization::original),
    },
    Rule {
        id: RuleId::Qr09,
        source: text(
            "《征信业管理条例》第十九条",
            "Credit Reporting Regulation, Art 19",
        ),
        text: text(
            "授权书须填写完整，一人一份，文本版本可查",
            "the form is complete, of one subject, and of a known text",
        ),
        check: Check::Authorization(authorization::form),
    },
];

//! QR-06: what the registry says of the bureau.

use super::{Defect, text};
use crate::{
    authorizations::model::{Facts, Question},
    bureaus::Licence,
    platform::{clock::china_date, config::bureau::LicenceKind, identity::SubjectKind},
};

/// QR-06. Days are those at +08:00: the first and the last one count, the day
/// of a revocation does not.
pub(super) fn licensed(question: &Question, facts: &Facts) -> Option<&'static Defect> {
    let today = china_date(question.at);
    let mut known = facts
        .licences
        .iter()
        .filter(|licence| licence.bureau == question.bureau)
        .peekable();
    if known.peek().is_none() {
        return Some(&UNLISTED);
    }
    let mut live = known
        .filter(|licence| licence.is_valid_on(today))
        .peekable();
    if live.peek().is_none() {
        return Some(&LAPSED);
    }
    let serves = |licence: &Licence| match licence.kind {
        LicenceKind::EnterpriseFiling => question.identity.kind() == SubjectKind::Enterprise,
        LicenceKind::PersonalLicence => question.identity.kind() == SubjectKind::Person,
        LicenceKind::Statutory => true,
    };
    (!live.any(serves)).then_some(&OTHER_KIND)
}

const CURE: super::Bilingual = text(
    "改用具有合法资质的征信机构，或更新机构名录",
    "ask a licensed bureau, or bring the registry of bureaus up to date",
);

static UNLISTED: Defect = Defect {
    code: "bureau_unlisted",
    what: text("名录中没有该征信机构", "the bureau is not in the registry"),
    cure: CURE,
};

static LAPSED: Defect = Defect {
    code: "bureau_not_licensed",
    what: text(
        "该征信机构的资质今日无效",
        "the bureau has no valid licence or filing today",
    ),
    cure: CURE,
};

static OTHER_KIND: Defect = Defect {
    code: "bureau_other_kind",
    what: text(
        "该征信机构的资质不含此类信息主体",
        "the bureau's licence or filing does not cover subjects of this kind",
    ),
    cure: CURE,
};

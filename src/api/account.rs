//! An account, as a body names it.

use schemas::role::BETWEEN;
use serde::Deserialize;
use utoipa::ToSchema;

use super::findings::Findings;
use crate::{ledger::index::AccountName, platform::ids::InstitutionId};

/// An account of the caller's institution at a bureau.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountBody {
    /// The bureau.
    #[schema(example = "pboc")]
    bureau: String,
    /// The type of its normal record, such as `210`.
    #[schema(example = "210")]
    record: String,
    /// What names it: the account identifier of a record 210; of other records
    /// all parts of the key, in the order of the record.
    #[schema(example = json!(["D10999999H0001-0001"]))]
    key: Vec<String>,
}

impl AccountBody {
    /// Checks it.
    pub(crate) fn parse(
        &self,
        at: &str,
        institution: &InstitutionId,
        findings: &mut Findings,
    ) -> Option<AccountName> {
        let bureau = findings.word(&format!("{at}/bureau"), &self.bureau);
        let family = findings.word(&format!("{at}/record"), &self.record);
        let part = |part: &String| {
            let text = part.trim_ascii();
            !text.is_empty() && text.len() <= 400 && !text.contains(BETWEEN)
        };
        let good = (1..=8).contains(&self.key.len()) && self.key.iter().all(part);
        let right = "must be 1 to 8 texts: the parts of the key, as the records hold them";
        let key = findings.some(&format!("{at}/key"), "key", right, good.then_some(()));
        key?;
        let parts: Vec<&str> = self.key.iter().map(|part| part.trim_ascii()).collect();
        Some(AccountName {
            institution: institution.clone(),
            bureau: bureau?.into(),
            family: family?.to_owned(),
            key: parts.join(&BETWEEN.to_string()),
        })
    }
}

impl Drop for AccountBody {
    fn drop(&mut self) {
        self.key.iter_mut().for_each(zeroize::Zeroize::zeroize);
    }
}

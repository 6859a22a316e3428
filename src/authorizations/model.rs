//! What the decision is made of: a question, and the facts that bear on it.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Category, Purpose};
use crate::{
    bureaus::Licence,
    platform::{
        identity::Identity,
        ids::{AuthorizationId, BureauId, InstitutionId, PolicyId, SubjectId},
    },
};

/// What an authorization allows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// To pull reports.
    Inquire,
    /// To provide information to bureaus. It never permits an inquiry.
    Provide,
}

impl Kind {
    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inquire => "inquire",
            Self::Provide => "provide",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Inquire, Self::Provide]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// From when until when an authorization holds, unless withdrawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// Days at +08:00, both included: the last one ends with its midnight.
    Days {
        /// First day.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String, format = Date)]
        from: Date,
        /// Last day.
        #[serde(serialize_with = "as_text")]
        #[schema(value_type = String, format = Date)]
        until: Date,
    },
    /// While the subject is a member (user) of the institution. It ends with the
    /// first membership to end after the signing; a new one does not revive it.
    WhileMember,
}

/// For types that know no serde: as they print.
pub(super) fn as_text<S: serde::Serializer>(
    value: &impl std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// The version of a policy that was signed, as the form names it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct PolicyVersion {
    /// The policy.
    pub policy: PolicyId,
    /// Its version.
    pub version: String,
}

/// What became of the stored original.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// It opens, and has not the digest that was recorded.
    Altered,
    /// It opens and has its digest.
    Intact {
        /// When it was stored.
        stored_at: Timestamp,
    },
    /// It is not there, or cannot be opened.
    Missing,
}

/// An authorization (授权), as the form says and the store keeps it.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// Which one.
    pub id: AuthorizationId,
    /// The grantee.
    pub institution: InstitutionId,
    /// Whose it is.
    pub subject: SubjectId,
    /// To inquire or to provide.
    pub kind: Kind,
    /// The bureaus that it names.
    pub bureaus: BTreeSet<BureauId>,
    /// The purposes that it names.
    pub purposes: BTreeSet<Purpose>,
    /// The kinds of information that it names.
    pub categories: BTreeSet<Category>,
    /// Name and document of the signer on the form; `None` is a blank.
    pub signer: Option<Identity>,
    /// When it was signed; `None` is a blank.
    pub signed_at: Option<Timestamp>,
    /// For how long.
    pub validity: Validity,
    /// The text that was signed; `None` is a blank.
    pub policy: Option<PolicyVersion>,
    /// First day of that text; `None` where the version is not registered.
    pub policy_first_day: Option<Date>,
    /// How many subjects the form names.
    pub subjects_on_form: i64,
    /// Since when it is withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// The original.
    pub evidence: Evidence,
}

/// A time during which the subject is a member (user) of the institution.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Membership {
    /// First moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Option<Timestamp>,
}

/// May this institution ask that bureau about this subject, for this, now?
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks.
    pub institution: InstitutionId,
    /// About whom; `None` where nobody of that document is enrolled.
    pub subject: Option<SubjectId>,
    /// Name and document as they would go to the bureau.
    pub identity: Identity,
    /// Whom they would ask.
    pub bureau: BureauId,
    /// What for.
    pub purpose: Purpose,
    /// The moment.
    pub at: Timestamp,
}

/// What is known that bears on a question.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The authorizations of the subject.
    pub authorizations: Vec<Authorization>,
    /// The memberships of the subject at the institution.
    pub memberships: Vec<Membership>,
    /// The registry of bureaus, or what it says of the bureau asked.
    pub licences: Vec<Licence>,
    /// The latest moment at which something among them is known to have
    /// happened: no decision is made as if before. The clock may have been set
    /// back, or read before a lock was waited for.
    pub as_of: Option<Timestamp>,
}

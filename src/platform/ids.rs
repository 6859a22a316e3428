//! Identifiers of our own things. None of them is personal.

/// Makes a type of identifier: UUID version 7 as text when we make it, any
/// short text when an institution names it.
macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize,
            serde::Serialize, sqlx::Type, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// A new one, sortable by time.
            #[must_use]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7().to_string())
            }

            /// The text of it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&$name> for crate::platform::db::Arg {
            fn from(id: &$name) -> Self {
                Self::Text(Some(id.0.clone()))
            }
        }

        impl From<Option<&$name>> for crate::platform::db::Arg {
            fn from(id: Option<&$name>) -> Self {
                Self::Text(id.map(|id| id.0.clone()))
            }
        }
    )+};
}

identifiers! {
    /// An authorization (授权).
    AuthorizationId,
    /// A bureau (征信机构), as configuration names it: `pboc`.
    BureauId,
    /// A machine client of an institution.
    ClientId,
    /// An inquiry (查询).
    InquiryId,
    /// An institution, as configuration names it.
    InstitutionId,
    /// A person's account at an institution.
    OperatorId,
    /// A policy whose versions subjects sign.
    PolicyId,
    /// A subject (信息主体); a random number, never derived from the identity.
    SubjectId,
}

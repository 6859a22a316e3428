//! An institution that the gateway serves.

use serde::Deserialize;

/// An institution, as configuration names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionConfig {
    /// Our identifier of it: lower-case letters, digits and `-`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What kind of house it is, in its own words.
    #[serde(default)]
    pub profile: String,
}

//! Who is asking, and what they may do.

use std::{collections::BTreeSet, fmt};

use schemas::ident::{bank_card_ok, resident_id_checksum_ok};

use super::Role;
use crate::platform::ids::{ClientId, InstitutionId, OperatorId};

/// A caller lacks a role.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this needs the role {}", .role.name())]
pub struct Forbidden {
    /// What would be needed; where several would do, the first of them.
    pub role: Role,
}

/// Names one human in the whole gateway, such as a staff number with the house
/// before it: `demo-bank.1042`. Never a name or an identity number.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, sqlx::Type)]
#[sqlx(transparent)]
pub struct PersonKey(String);

/// A text is no person key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a person key is 1 to 64 of A-Z a-z 0-9 . _ - and no identity or card number")]
pub struct PersonKeyError;

impl PersonKey {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`PersonKeyError`], also for an identity or card number.
    pub fn parse(text: &str) -> Result<Self, PersonKeyError> {
        let narrow = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
        let good = (1..=64).contains(&text.len())
            && text.as_bytes().iter().all(narrow)
            && !resident_id_checksum_ok(&text.to_ascii_uppercase())
            && !(text.len() >= 13 && bank_card_ok(text));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(PersonKeyError)
        }
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What acts: a person's account, a machine, or someone at the gateway's shell.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// A machine client.
    Client(ClientId),
    /// Whoever may run the gateway's own commands on its own machine.
    Local,
    /// A person's account.
    Operator(OperatorId),
}

impl Actor {
    /// How a table keeps it; [`Actor::from_stored`] reads it back.
    #[must_use]
    pub fn stored(&self) -> String {
        match self {
            Self::Client(id) => format!("client/{id}"),
            Self::Local => "local".to_owned(),
            Self::Operator(id) => format!("operator/{id}"),
        }
    }

    /// The actor that was stored so.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text.split_once('/') {
            Some(("client", id)) => Some(Self::Client(id.into())),
            Some(("operator", id)) => Some(Self::Operator(id.into())),
            None if text == "local" => Some(Self::Local),
            _ => None,
        }
    }
}

/// As audit entries name it: the bare identifier.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client(id) => id.as_str(),
            Self::Local => "local",
            Self::Operator(id) => id.as_str(),
        })
    }
}

/// Who is asking, for which institution, with which roles at that moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// For whom they act.
    pub institution: InstitutionId,
    /// What acts.
    pub actor: Actor,
    /// The human behind it, where there is one.
    pub person: Option<PersonKey>,
    /// What they may do.
    pub roles: BTreeSet<Role>,
}

impl Caller {
    /// Somebody at the shell of the gateway's own machine, who could as well
    /// open the database: commands give them the roles that the command needs.
    #[must_use]
    pub fn local(institution: InstitutionId, roles: impl IntoIterator<Item = Role>) -> Self {
        Self {
            institution,
            actor: Actor::Local,
            person: None,
            roles: roles.into_iter().collect(),
        }
    }

    /// Goes on only with that role.
    ///
    /// # Errors
    ///
    /// [`Forbidden`].
    pub fn require(&self, role: Role) -> Result<(), Forbidden> {
        self.require_any(&[role])
    }

    /// Goes on only with one of these roles; without any, nobody does.
    ///
    /// # Errors
    ///
    /// [`Forbidden`], naming the first.
    pub fn require_any(&self, roles: &[Role]) -> Result<(), Forbidden> {
        if roles.iter().any(|role| self.roles.contains(role)) {
            Ok(())
        } else {
            let role = roles.first().copied().unwrap_or(Role::Administrator);
            Err(Forbidden { role })
        }
    }

    /// Whether the other is the same account or machine, or the same human
    /// under another account: such two are not maker and checker (QR-26).
    #[must_use]
    pub fn is_same_human(&self, actor: &Actor, person: Option<&PersonKey>) -> bool {
        self.actor == *actor || (self.person.is_some() && self.person.as_ref() == person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_key_is_no_identity_number() {
        let cases = [
            ("staff number", "demo-bank.1042", true),
            ("identity number", "999999199001010016", false),
            ("identity number in lower case", "99999919900101018x", false),
            ("card", "9999990000000006", false),
            ("name", "测试甲", false),
            ("empty", "", false),
        ];
        for (name, text, good) in cases {
            assert_eq!(PersonKey::parse(text).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn an_actor_is_read_back_as_stored() {
        for actor in [
            Actor::Client(ClientId::new()),
            Actor::Local,
            Actor::Operator(OperatorId::new()),
        ] {
            assert_eq!(Actor::from_stored(&actor.stored()), Some(actor));
        }
        assert_eq!(Actor::from_stored("root"), None);
    }

    #[test]
    fn a_second_account_of_the_maker_is_still_the_maker() {
        let person = PersonKey::parse("demo-bank.7").unwrap();
        let mut one = Caller::local("a".into(), [Role::Checker]);
        one.actor = Actor::Operator("one".into());
        one.person = Some(person.clone());
        let two = Actor::Operator("two".into());
        assert!(one.is_same_human(&two, Some(&person)));
        assert!(!one.is_same_human(&two, PersonKey::parse("b.8").ok().as_ref()));
        one.person = None;
        assert!(!one.is_same_human(&two, None), "two machines are two");
        assert!(one.is_same_human(&one.actor.clone(), None));
    }

    #[test]
    fn a_role_that_is_not_held_is_required_in_vain() {
        let caller = Caller::local("a".into(), [Role::Officer]);
        assert_eq!(caller.require(Role::Officer), Ok(()));
        let missing = Role::Checker;
        assert_eq!(caller.require(missing), Err(Forbidden { role: missing }));
        assert!(caller.require_any(&[]).is_err());
    }
}

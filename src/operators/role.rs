//! Roles, and which of them one person may not hold together.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an operator or a machine client may do.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Keeps operators, clients and roles (管理员); cannot inquire.
    Administrator,
    /// The second person of an inquiry on hold (复核员).
    Checker,
    /// Watches over inquiries, keeps policies and authorizations (合规员).
    Compliance,
    /// Inquires (查询员).
    Officer,
    /// Reads the register and the log, changes nothing (监管).
    Regulator,
    /// Takes in authorizations and business records (报送员).
    Submitter,
}

/// Pairs that one person may not hold at one time: UR-01, after penalty notices
/// against administrators who also held a query user (CRR Art 40; Order No. 3
/// of 2005 Art 39).
pub const EXCLUSIVE: [(Role, Role); 3] = [
    (Role::Administrator, Role::Officer),
    (Role::Administrator, Role::Submitter),
    (Role::Officer, Role::Submitter),
];

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::Administrator,
        Self::Checker,
        Self::Compliance,
        Self::Officer,
        Self::Regulator,
        Self::Submitter,
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Checker => "checker",
            Self::Compliance => "compliance",
            Self::Officer => "officer",
            Self::Regulator => "regulator",
            Self::Submitter => "submitter",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether one person may not hold both.
    #[must_use]
    pub fn excludes(self, other: Self) -> bool {
        EXCLUSIVE.contains(&(self, other)) || EXCLUSIVE.contains(&(other, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_role() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(json, format!("\"{}\"", role.name()));
        }
        assert_eq!(Role::named("root"), None);
    }

    #[test]
    fn ur_01_excludes_exactly_three_pairs_in_either_order() {
        let mut pairs = 0;
        for (n, one) in Role::ALL.into_iter().enumerate() {
            assert!(!one.excludes(one));
            for other in &Role::ALL[n..] {
                assert_eq!(one.excludes(*other), other.excludes(one));
                pairs += usize::from(one.excludes(*other));
            }
        }
        assert_eq!(pairs, 3);
        assert!(Role::Officer.excludes(Role::Administrator));
        assert!(
            !Role::Officer.excludes(Role::Checker),
            "checked per inquiry"
        );
    }
}

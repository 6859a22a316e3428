//! Who asks: found again at every request, so that a revocation bites on an
//! open connection.

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};

use super::{listen::peer_key, problem::Problem};
use crate::{
    audit::entry::{Draft, Kind},
    gateway::Gateway,
    operators::{self, Caller, Role},
    platform::db::{DbError, Urgency},
};

/// A request was refused for who asked it.
const DENIED: Kind = Kind::new("access.denied");

/// Which listener a request came through; in the extensions of all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Listener {
    /// Client certificates, no tokens.
    Machines,
    /// Bearer tokens, no certificates.
    People,
}

impl Listener {
    fn name(self) -> &'static str {
        match self {
            Self::Machines => "machines",
            Self::People => "people",
        }
    }
}

/// A known caller.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The caller.
    pub caller: Caller,
    listener: Listener,
    gateway: Gateway,
}

impl Asker {
    /// Goes on only with one of these roles; otherwise 403, and an entry.
    ///
    /// # Errors
    ///
    /// The problem to answer with.
    pub async fn require(&self, roles: &[Role]) -> Result<&Caller, Problem> {
        if self.caller.require_any(roles).is_ok() {
            return Ok(&self.caller);
        }
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let entry = Draft::new(DENIED, &self.caller.institution, self.gateway.clock().now())
            .actor(&self.caller.actor)
            .code("listener", self.listener.name())
            .code("cause", "role");
        denied(&self.gateway, entry).await?;
        Err(Problem::forbidden(&names.join(", ")))
    }
}

impl FromRequestParts<Gateway> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Gateway,
    ) -> Result<Self, Self::Rejection> {
        // A router without the marker would be a defect: then nobody is known.
        let listener = *parts
            .extensions
            .get::<Listener>()
            .ok_or_else(Problem::unauthenticated)?;
        let caller = match listener {
            Listener::People => {
                let token = parts
                    .headers
                    .get(AUTHORIZATION)
                    .and_then(|value| value.to_str().ok())
                    .and_then(|value| value.strip_prefix("Bearer "))
                    .ok_or_else(Problem::unauthenticated)?;
                operators::by_token(gateway.db(), token, gateway.clock().now())
                    .await?
                    .ok_or_else(Problem::unauthenticated)?
            }
            Listener::Machines => {
                let key = peer_key(&parts.extensions).ok_or_else(Problem::unauthenticated)?;
                match operators::by_certificate(gateway.db(), key).await? {
                    Some(caller) => caller,
                    None => {
                        let entry = Draft::new(DENIED, "none", gateway.clock().now())
                            .code("listener", listener.name())
                            .code("cause", "certificate")
                            .digest("key_sha256", &key);
                        denied(gateway, entry).await?;
                        return Err(Problem::forbidden(
                            "a certificate that is mapped to a client",
                        ));
                    }
                }
            }
        };
        Ok(Self {
            caller,
            listener,
            gateway: gateway.clone(),
        })
    }
}

async fn denied(gateway: &Gateway, entry: Draft) -> Result<(), Problem> {
    let entry = entry.finish().map_err(|_| Problem::internal())?;
    gateway
        .db()
        .write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                tx.append(entry.into());
                Ok::<_, DbError>(())
            })
        })
        .await?;
    Ok(())
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        tracing::error!(error = %error, "the database failed a request");
        Self::internal()
    }
}

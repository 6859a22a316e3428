//! How every line stands, for `GET /v1/bureaus`.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    FileLine, Line, Lines, PasswordStatus,
    quota::{Scope, scopes, used},
};
use crate::platform::{
    clock::china_date,
    config::bureau::{LicenceKind, Transport},
    db::DbError,
    ids::{BureauId, InstitutionId},
};

/// From so many days before its end on, a certificate is warned of.
const WARN_DAYS: i64 = 30;

/// How often certificates are looked after, beside each exchange.
const INSPECTION: Duration = Duration::from_secs(6 * 3600);

/// How a line stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineStatus {
    /// The bureau.
    pub bureau: BureauId,
    /// Its name, for people.
    pub name: String,
    /// The dialect.
    pub adapter: String,
    /// What may be inquired for.
    pub products: Vec<&'static str>,
    /// Its title.
    pub licence: LicenceStatus,
    /// How the way is protected.
    pub transport: TransportStatus,
    /// It answers now.
    pub open: bool,
    /// When it answers next, RFC 3339; absent while it is open, or if not within a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<String>,
    /// Its windows today, at +08:00.
    pub hours_today: Vec<String>,
    /// `closed` is well, `open` rests, `half_open` is probed.
    pub breaker: &'static str,
    /// Inquiries on the line now.
    pub in_flight: usize,
    /// Inquiries on the line at a time.
    pub concurrency: u16,
    /// The limits of the caller's own scopes.
    pub limits: Vec<LimitStatus>,
    /// The caller's institution has credentials here.
    pub member: bool,
    /// The password of the caller's institution, where it is a member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordStatus>,
}

/// A bureau's title.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LicenceStatus {
    /// The kind of title.
    pub kind: LicenceKind,
    /// Its number.
    pub number: String,
    /// First day.
    pub valid_from: String,
    /// Last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// The day from which it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_on: Option<String>,
}

/// How the way is protected.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransportStatus {
    /// `mtls`, `tls` or `plain_in_vpn`.
    pub kind: &'static str,
    /// Why there is no TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who answers for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Until which day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The last moment of our certificate, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_expires_at: Option<String>,
    /// Whole days until then; negative when it is past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_days_left: Option<i64>,
    /// Why the files on disk are not the ones in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload_error: Option<String>,
}

/// A limit, and what is used of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitStatus {
    /// Whose it is.
    pub scope: Scope,
    /// Inquiries a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// Inquiries a day at +08:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// Of these, used today; counted only where there is a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_today: Option<u64>,
    /// Of these, left today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_today: Option<u64>,
}

impl Lines {
    /// How all lines stand, with the quotas that an operator of an institution
    /// counts against; what others used shows only in the bureau's own quota.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn status(
        &self,
        institution: &InstitutionId,
        operator: &str,
    ) -> Result<Vec<LineStatus>, DbError> {
        let mut all = Vec::new();
        for line in self.iter() {
            all.push(line.status(institution, operator).await?);
        }
        Ok(all)
    }

    /// Looks after certificates as long as there are lines.
    pub(super) fn inspect_from_time_to_time(&self) -> impl Future<Output = ()> + use<> {
        let lines = Arc::downgrade(&self.0);
        async move {
            while let Some(lines) = lines.upgrade() {
                Self(lines).inspect().await;
                tokio::time::sleep(INSPECTION).await;
            }
        }
    }

    /// Takes up renewed certificates, warns of those that end soon.
    async fn inspect(&self) {
        for line in self.iter() {
            line.inspect_passwords().await;
            let clients = [Some(&line.client), line.files().and_then(FileLine::client)];
            let mut ends = Vec::new();
            for client in clients.into_iter().flatten() {
                client.reload().await;
                ends.extend(client.expires_at());
            }
            let Some(expires_at) = ends.into_iter().min() else {
                continue;
            };
            let days = days(line.clock.now(), expires_at);
            metrics::gauge!("bureau_certificate_days_left", "bureau" => line.id.to_string())
                .set(days as f64);
            if days < WARN_DAYS {
                tracing::warn!(
                    bureau.name = %line.id, days_left = days,
                    "the certificate of the line ends soon"
                );
            }
        }
    }
}

impl Line {
    async fn status(
        &self,
        institution: &InstitutionId,
        operator: &str,
    ) -> Result<LineStatus, DbError> {
        let now = self.clock.now();
        let config = &self.config;
        let opens_at = self.hours.next_open(now);
        let open = opens_at == Some(now);
        let windows = self.hours.windows(china_date(now));
        let products = &self.adapter.capabilities().products;
        Ok(LineStatus {
            bureau: self.id.clone(),
            name: config.name.clone(),
            adapter: config.adapter.clone(),
            products: products.iter().map(|product| product.name).collect(),
            licence: LicenceStatus {
                kind: config.licence.kind,
                number: config.licence.number.clone(),
                valid_from: config.licence.valid_from.to_string(),
                valid_until: config.licence.valid_until.map(|day| day.to_string()),
                revoked_on: config.licence.revoked_on.map(|day| day.to_string()),
            },
            transport: self.transport_status(now),
            open,
            opens_at: opens_at.filter(|_| !open).map(|at| at.to_string()),
            hours_today: windows.iter().map(ToString::to_string).collect(),
            breaker: self.gate.breaker_name(),
            in_flight: self.gate.in_flight(),
            concurrency: config.limits.concurrency,
            limits: self.limits(institution, operator, now).await?,
            member: self.members.contains_key(institution),
            password: self.password_status(institution).await?,
        })
    }

    fn transport_status(&self, now: Timestamp) -> TransportStatus {
        let transport = &self.config.transport;
        let exception = match transport {
            Transport::PlainInVpn {
                reason,
                owner,
                until,
            } => Some((reason, owner, until)),
            Transport::Mtls { .. } | Transport::Tls { .. } => None,
        };
        let expires_at = self.client.expires_at();
        TransportStatus {
            kind: transport.name(),
            reason: exception.map(|(reason, ..)| reason.clone()),
            owner: exception.map(|(_, owner, _)| owner.clone()),
            until: exception.map(|(.., until)| until.to_string()),
            certificate_expires_at: expires_at.map(|at| at.to_string()),
            certificate_days_left: expires_at.map(|at| days(now, at)),
            reload_error: self.client.reload_error(),
        }
    }

    async fn limits(
        &self,
        institution: &InstitutionId,
        operator: &str,
        now: Timestamp,
    ) -> Result<Vec<LimitStatus>, DbError> {
        let mut all = Vec::new();
        let limits = &self.config.limits;
        for (scope, holder, limits) in scopes(limits, &self.id, institution, operator) {
            let used_today = match limits.per_day {
                Some(_) => Some(used(&self.db, &self.id, scope, &holder, china_date(now)).await?),
                None => None,
            };
            all.push(LimitStatus {
                scope,
                per_minute: limits.per_minute,
                per_day: limits.per_day,
                used_today,
                left_today: limits
                    .per_day
                    .zip(used_today)
                    .map(|(quota, used)| u64::from(quota).saturating_sub(used)),
            });
        }
        Ok(all)
    }
}

/// Whole days from `now` until `at`, rounded down.
fn days(now: Timestamp, at: Timestamp) -> i64 {
    at.duration_since(now).as_secs().div_euclid(24 * 3600)
}

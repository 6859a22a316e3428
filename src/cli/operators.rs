//! `creditgate operators`: the first accounts of an institution, made at the
//! gateway's own machine while it does not serve. All others are made by an
//! administrator over the API.

use std::{path::PathBuf, sync::Arc};

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use jiff::SignedDuration;
use ring::rand::SystemRandom;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{CliError, Common, Exit, out, settings};
use crate::{
    audit::Appender,
    operators::{self, Caller, NewOperator, PersonKey, Role},
    platform::{
        certs::{Existing, write_secret},
        clock::Clock,
        config::Depth,
        db::{self, Db},
        ids::InstitutionId,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account with one role, and a token for it
    Add(Add),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// The institution, as the configuration names it
    #[arg(long)]
    institution: InstitutionId,
    /// Login name, unique in the institution
    #[arg(long)]
    label: String,
    /// The human behind it: a staff number, never a name or identity number
    #[arg(long)]
    person: String,
    /// What it may do
    #[arg(long, default_value = "administrator", value_parser = role())]
    role: Role,
    /// For how many days the token is good
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// The file for the token; only its owner may read it
    #[arg(long, value_name = "FILE")]
    token: PathBuf,
}

pub(super) async fn run(
    common: &Common,
    command: &Command,
    clock: Clock,
) -> Result<Exit, CliError> {
    let Command::Add(add) = command;
    let config = common.check(Depth::Text)?;
    let Some(institution) = config
        .institutions
        .iter()
        .find(|known| known.id == add.institution.as_str())
    else {
        return Err(CliError::Usage("no such institution is configured"));
    };
    let address = settings::address(&config)?;
    let _owned = db::own(address.expose_secret()).await?;
    let db = Db::open(address.expose_secret(), Arc::new(Appender)).await?;
    let (now, by) = (
        clock.now(),
        Caller::local(add.institution.clone(), [Role::Administrator]),
    );
    operators::record_institution(&db, &by, &institution.name, &institution.profile, now).await?;
    let new = NewOperator {
        label: add.label.clone(),
        person: PersonKey::parse(&add.person).map_err(operators::OperatorError::from)?,
        since: now,
        until: None,
    };
    let id = operators::register_operator(&db, &by, new, now).await?;
    operators::grant(&db, &by, &id, add.role, now).await?;
    let expires = now + SignedDuration::from_hours(24 * i64::from(add.days));
    let (_, token) =
        operators::issue_token(&db, &by, &id, expires, &SystemRandom::new(), now).await?;
    write_secret(&add.token, token.expose().as_bytes(), Existing::Keep)?;
    if common.json {
        out::json(&json!({ "operator": id, "role": add.role.name(), "token": add.token }))?;
    } else {
        out::text(&format!(
            "operator {id}; its token is in {}",
            add.token.display()
        ))?;
    }
    Ok(Exit::Done)
}

fn role() -> impl TypedValueParser<Value = Role> {
    let names = Role::ALL.map(Role::name);
    // The parser lets only these names through.
    PossibleValuesParser::new(names).map(|name| Role::named(&name).unwrap_or(Role::Regulator))
}

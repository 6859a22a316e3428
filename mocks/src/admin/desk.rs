//! The desk by the admin port: what it received, and its switches.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    desk::{Desk, Lie},
    handle::Control,
};

/// Its routes; without a desk they answer 404.
pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/desk/account", post(account))
        .route("/desk/accounts/{family}", get(accounts))
        .route("/desk/files", get(files))
        .route("/desk/switch", post(switch))
}

/// Which account; it stands in the body, since a key may name a person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    family: String,
    key: String,
}

/// A switch, as `README.md` lists them.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Switch {
    GoAway(bool),
    Lie(Named),
    LoseAcknowledgments(usize),
    Spite { key: String, code: String },
    WithholdFeedback(bool),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    Cut,
    Garbage,
    OtherFile,
    Twice,
    WrongLines,
}

impl From<Named> for Lie {
    fn from(named: Named) -> Self {
        match named {
            Named::Cut => Self::Cut,
            Named::Garbage => Self::Garbage,
            Named::OtherFile => Self::OtherFile,
            Named::Twice => Self::Twice,
            Named::WrongLines => Self::WrongLines,
        }
    }
}

async fn files(State(bureau): State<Control>) -> Result<Json<Value>, StatusCode> {
    let files = desk(&bureau)?.files().into_iter().map(|(name, file)| {
        let seen = json!({
            "arrivals": file.arrivals,
            "digests": file.digests,
            "effects": file.effects,
            "accepted": file.accepted,
            "rejected": file.rejected,
        });
        (name, seen)
    });
    Ok(Json(Value::Object(Map::from_iter(files))))
}

async fn account(
    State(bureau): State<Control>,
    Json(which): Json<Which>,
) -> Result<Json<Value>, StatusCode> {
    let account = desk(&bureau)?.account(&which.family, &which.key);
    let account = account.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({
        "account_type": account.account_type,
        "closed": account.closed,
        "reported_on": account.reported_on,
        "months": account.months,
        "taken": account.taken,
    })))
}

async fn accounts(
    State(bureau): State<Control>,
    Path(family): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    let count = desk(&bureau)?.accounts(&family);
    Ok(Json(json!({ "accounts": count })))
}

async fn switch(
    State(bureau): State<Control>,
    Json(switch): Json<Switch>,
) -> Result<StatusCode, StatusCode> {
    let desk = desk(&bureau)?;
    match switch {
        Switch::GoAway(away) => desk.go_away(away),
        Switch::Lie(lie) => desk.lie(lie.into()),
        Switch::LoseAcknowledgments(count) => desk.lose_acknowledgments(count),
        Switch::Spite { key, code } => desk.spite(&key, &code),
        Switch::WithholdFeedback(withholds) => desk.withhold_feedback(withholds),
    }
    Ok(StatusCode::NO_CONTENT)
}

fn desk(bureau: &Control) -> Result<&Desk, StatusCode> {
    bureau.desk().ok_or(StatusCode::NOT_FOUND)
}

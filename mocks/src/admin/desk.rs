//! The desk by the admin port: what it received, and its switches.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    desk::{BureauAccount, Desk, Lie, ReceivedFile},
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
    Lie(Lie),
    LoseAcknowledgments(usize),
    MendFeedback,
    RefuseWhole(usize),
    RepeatFeedback,
    Spite { key: String, code: String },
    WithholdFeedback(bool),
}

async fn files(
    State(bureau): State<Control>,
) -> Result<Json<BTreeMap<String, ReceivedFile>>, StatusCode> {
    Ok(Json(desk(&bureau)?.files()))
}

async fn account(
    State(bureau): State<Control>,
    Json(which): Json<Which>,
) -> Result<Json<BureauAccount>, StatusCode> {
    let account = desk(&bureau)?.account(&which.family, &which.key);
    account.map(Json).ok_or(StatusCode::NOT_FOUND)
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
        Switch::Lie(lie) => desk.lie(lie),
        Switch::LoseAcknowledgments(count) => desk.lose_acknowledgments(count),
        Switch::MendFeedback => desk.mend_feedback(),
        Switch::RefuseWhole(count) => desk.refuse_whole(count),
        Switch::RepeatFeedback => desk.repeat_feedback(),
        Switch::Spite { key, code } => desk.spite(&key, &code),
        Switch::WithholdFeedback(withholds) => desk.withhold_feedback(withholds),
    }
    Ok(StatusCode::NO_CONTENT)
}

fn desk(bureau: &Control) -> Result<&Desk, StatusCode> {
    bureau.desk().ok_or(StatusCode::NOT_FOUND)
}

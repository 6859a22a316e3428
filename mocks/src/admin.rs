//! The admin port: the same switches and counts over HTTP, for tests whose
//! bureau is another process. No personal data stands in a URL: a subject is
//! named in the body.

mod desk;

use std::{io, net::SocketAddr};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{
    faults::FaultRule,
    handle::{Control, MockBureau},
};

/// The admin port of a bureau, listening and still to be served.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    router: Router,
}

impl Admin {
    /// Listens at `address`, which must be loopback: whoever reaches it reads
    /// the inquiry list.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is not loopback, or what the system says.
    pub async fn listen(bureau: &MockBureau, address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the admin port must be on loopback",
            ));
        }
        let router = Router::new()
            .route("/fault", post(set_fault).delete(clear_faults))
            .route("/inquiries.csv", get(inquiries))
            .route("/received", get(received))
            .route("/received/count", get(count).post(count_for))
            .merge(desk::routes())
            .with_state(bureau.control());
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            router,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until dropped.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn serve(self) -> io::Result<()> {
        axum::serve(self.listener, self.router).await
    }
}

#[derive(Serialize)]
struct Counts {
    whole: usize,
    partial: usize,
}

#[derive(Serialize)]
struct Line {
    at: String,
    whole: bool,
    bytes: usize,
    message_id: Option<String>,
    result: Option<&'static str>,
    listed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    from: Option<String>,
    until: Option<String>,
}

async fn set_fault(
    State(bureau): State<Control>,
    Json(rule): Json<FaultRule>,
) -> impl IntoResponse {
    match bureau.set_fault(rule).await {
        Ok(()) => (StatusCode::NO_CONTENT, String::new()),
        Err(error) => (StatusCode::CONFLICT, error.to_string()),
    }
}

async fn clear_faults(State(bureau): State<Control>) -> StatusCode {
    bureau.clear_faults().await;
    StatusCode::NO_CONTENT
}

async fn count(State(bureau): State<Control>) -> Json<Counts> {
    let partial = bureau
        .received()
        .iter()
        .filter(|received| !received.whole)
        .count();
    Json(Counts {
        whole: bureau.count(|_| true),
        partial,
    })
}

async fn count_for(State(bureau): State<Control>, id_number: String) -> Json<Counts> {
    Json(Counts {
        whole: bureau.count_for(id_number.trim()),
        partial: 0,
    })
}

async fn received(State(bureau): State<Control>) -> Json<Vec<Line>> {
    let lines = bureau.received().into_iter().map(|received| Line {
        at: received.at.to_string(),
        whole: received.whole,
        bytes: received.bytes,
        message_id: received.message_id,
        result: received.result,
        listed: received.listed,
    });
    Json(lines.collect())
}

async fn inquiries(
    State(bureau): State<Control>,
    Query(period): Query<Period>,
) -> Result<impl IntoResponse, StatusCode> {
    let moment = |text: Option<String>, otherwise: Timestamp| match text {
        Some(text) => text.parse().map_err(|_| StatusCode::BAD_REQUEST),
        None => Ok(otherwise),
    };
    let from = moment(period.from, Timestamp::MIN)?;
    let until = moment(period.until, Timestamp::MAX)?;
    Ok((
        [(CONTENT_TYPE, "text/csv; charset=utf-8")],
        bureau.inquiry_list(from, until),
    ))
}

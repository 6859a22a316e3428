//! Authorizations in bulk: a file in, what was found in it out.

use std::io;

use axum::{Json, extract::State, http::StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    api::{
        body::Csv,
        problem::{Finding as Defect, Problem},
        who::Asker,
    },
    authorizations::{Finding, ImportError, Imported, KEEPERS, Originals},
    gateway::Gateway,
};

/// What became of a file.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportedBody {
    /// Counts of rows.
    taken: Imported,
    /// All that is wrong with the rows set aside.
    findings: Vec<Finding>,
}

/// Imports authorizations from CSV, at most 16 MiB.
///
/// Good rows are recorded, bad ones set aside with all that is wrong with them;
/// the same file again changes nothing. `evidence_file` holds the original
/// itself, in Base64: larger ones go one by one, or by the command
/// `authorizations import` with a folder.
#[utoipa::path(
    post, path = "/v1/authorizations/import", tag = "authorizations",
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, body = ImportedBody),
        (status = 422, body = Problem, description = "The header is not that of the template"),
    ),
)]
pub(super) async fn import(
    State(gateway): State<Gateway>,
    asker: Asker,
    Csv(file): Csv,
) -> Result<Json<ImportedBody>, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let mut findings = Vec::new();
    let found = |finding| {
        findings.push(finding);
        Ok(())
    };
    let taken = gateway
        .authorizations()
        .import(caller, &*file, &Inline, now, found)
        .await;
    match taken {
        Ok(taken) => Ok(Json(ImportedBody { taken, findings })),
        Err(ImportError::Authorization(error)) => Err(error.into()),
        Err(ImportError::Header) => Err(header(findings)),
        Err(error) => {
            tracing::error!(error = %error, "an import failed");
            Err(Problem::internal())
        }
    }
}

/// Originals that stand in the file itself.
struct Inline;

impl Originals for Inline {
    fn read(&self, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let bytes = STANDARD
            .decode(name)
            .map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Zeroizing::new(bytes))
    }
}

fn header(findings: Vec<Finding>) -> Problem {
    let defects = findings.into_iter().map(|it| Defect {
        at: it.field.to_owned(),
        code: it.code.to_owned(),
        message: format!("line {}: {}; {}", it.line, it.wrong.en, it.right.en),
    });
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "the file has defects",
    )
    .findings(defects.collect())
}

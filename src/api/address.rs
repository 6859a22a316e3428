//! Parts of the address, read so that a defect is answered as a problem and
//! without the value.

use axum::{
    extract::{FromRequestParts, Path as AxumPath, Query as AxumQuery},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// What stands in the path.
pub(crate) struct Path<T>(pub(crate) T);

/// What stands behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        AxumPath::from_request_parts(parts, state)
            .await
            .map(|AxumPath(value)| Self(value))
            .map_err(|_| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "path",
                    "a part of the path is not readable",
                )
                .detail("an identifier in the path is percent-encoded UTF-8")
            })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        AxumQuery::from_request_parts(parts, state)
            .await
            .map(|AxumQuery(value)| Self(value))
            .map_err(|_| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "query",
                    "a parameter of the address is not readable",
                )
                .detail("docs/API.md and /v1/openapi.json name the parameters and their values")
            })
    }
}

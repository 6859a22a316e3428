//! A problem that the gateway answered with (RFC 9457).

use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;

use super::Exit;

/// What the gateway said, as far as we read it.
#[derive(Debug, Default, Deserialize)]
pub struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    location: Option<String>,
    #[serde(skip)]
    status: u16,
    /// The document as it came, for `--json`.
    #[serde(skip)]
    pub(super) document: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    at: String,
    message: String,
}

impl Problem {
    /// Reads one; what is none is told by its status.
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Self {
        let mut problem: Self = serde_json::from_slice(body).unwrap_or_default();
        if problem.title.is_empty() {
            problem.title = "the gateway did not do it".to_owned();
        } else {
            problem.document = body.to_vec();
        }
        problem.status = status.as_u16();
        problem
    }

    /// Stable code; empty where there was none.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// Where it says to go on.
    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// How a command ends that got it.
    pub(super) fn exit(&self) -> Exit {
        match self.status {
            400 | 413 | 415 | 422 => Exit::Usage,
            // Who asks is not known, may not, or is too fast; the state forbids it.
            401 | 403 | 409 | 429 => Exit::Refused,
            // It takes nothing on while it stops.
            503 => Exit::Failed,
            500..=599 => Exit::Unknown,
            _ => Exit::Failed,
        }
    }
}

/// One line, and one for each finding.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        write!(f, " (status {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, ", {}", self.code)?;
        }
        f.write_str(")")?;
        for finding in &self.findings {
            write!(f, "\n  {}: {}", finding.at, finding.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_tells_all_findings() {
        let body = br#"{"type":"urn:x","title":"the request is wrong","status":422,
            "code":"invalid","findings":[
                {"at":"/purpose","code":"purpose","message":"not a purpose"},
                {"at":"/subject/name","code":"empty","message":"a name is needed"}]}"#;
        let problem = Problem::read(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!(
            problem.to_string(),
            "the request is wrong (status 422, invalid)\n  /purpose: not a purpose\n  \
             /subject/name: a name is needed"
        );
        assert_eq!(problem.exit(), Exit::Usage);
    }

    #[test]
    fn an_answer_from_elsewhere_is_told_by_its_status() {
        let problem = Problem::read(StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!(
            problem.to_string(),
            "the gateway did not do it (status 502)"
        );
        assert_eq!(problem.exit(), Exit::Unknown);
        assert_eq!(problem.document, b"");
    }
}

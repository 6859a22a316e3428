//! Where a page of the register begins: a text that means nothing to clients.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{inquiries::Record, platform::ids::InquiryId};

/// The last inquiry of a page; the next page begins after it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor {
    pub(super) received_at: i64,
    pub(super) id: InquiryId,
}

/// A text that is no cursor of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a cursor that this gateway gave")]
pub struct CursorError;

impl Cursor {
    pub(super) fn at(record: &Record) -> Self {
        Self {
            received_at: record.received_at,
            id: record.id.clone(),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{}/{}", self.received_at, self.id)))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| CursorError)?;
        let (time, id) = text.split_once('/').ok_or(CursorError)?;
        let id = Uuid::try_parse(id).map_err(|_| CursorError)?.to_string();
        let received_at = time.parse().map_err(|_| CursorError)?;
        Ok(Self {
            received_at,
            id: id.as_str().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_back(received_at: i64, id: u128) {
            let id = Uuid::from_u128(id).to_string();
            let cursor = Cursor { received_at, id: id.as_str().into() };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn another_text_is_no_cursor(text: String) {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}

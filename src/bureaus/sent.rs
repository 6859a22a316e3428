//! Whether a failed exchange may have reached the bureau.
//!
//! # Promise
//!
//! `NotSent` is said only where it is proven that the bureau read no request;
//! everything else is unknown. The table, each row with a test against a real
//! socket in `client`:
//!
//! | What happened | It is |
//! |---|---|
//! | the request cannot be put into HTTP | not sent, `request` |
//! | the name cannot be looked up | not sent, `name_lookup` |
//! | connection refused or reset before TLS stands | not sent, `connect` |
//! | name, connection and TLS take too long | not sent, `connect_timeout` |
//! | handshake failure, wrong name, authority or date | not sent, `handshake` |
//! | fatal certificate alert before any byte of a reply, on a connection made for this request | not sent, `certificate_refused` |
//! | the same on a connection that was used before | unknown, `cut` |
//! | any other alert after the handshake | unknown, `cut` |
//! | closed or reset after the request was written, no reply | unknown, `cut` |
//! | a reply that is no HTTP | unknown, `cut` |
//! | the answer takes too long | unknown, `timeout` |
//! | the reply ends before its declared length | unknown, `truncated` |
//! | the reply is longer than the limit | unknown, `reply_over_limit` |
//! | a whole reply of any status | the adapter's table decides; 5xx and 307 are unknown |
//!
//! A refused client certificate shows in TLS 1.3 only on the first read, when
//! our side has finished its handshake and written the request. The bureau's
//! side reads a request only after it has accepted the certificate (RFC 8446,
//! section 4.4.2.4), so such an alert proves that it read none; but only on a
//! connection that carried nothing before.

use std::{error::Error, io};

use contract::Failure;
use rustls::AlertDescription;

/// The name of the bureau's host could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("the name cannot be looked up")]
pub(super) struct NameLookup(#[source] pub(super) io::Error);

/// What a failed request is. `fresh`: its connection was made for it.
pub(super) fn failure(error: &reqwest::Error, fresh: bool) -> Failure {
    if error.is_builder() {
        return Failure::NotSent { cause: "request" };
    }
    if error.is_connect() {
        return Failure::NotSent {
            cause: connect_cause(error),
        };
    }
    if fresh && any(error, certificate_refused) {
        return Failure::NotSent {
            cause: "certificate_refused",
        };
    }
    Failure::Unknown { cause: "cut" }
}

/// Finer causes for people; all of them are equally not sent.
fn connect_cause(error: &reqwest::Error) -> &'static str {
    if any(error, |e| e.is::<NameLookup>()) {
        "name_lookup"
    } else if any(error, |e| e.is::<rustls::Error>()) {
        "handshake"
    } else if error.is_timeout() {
        "connect_timeout"
    } else {
        "connect"
    }
}

/// A fatal alert that refuses our certificate. Not among them: `access_denied`
/// and `decrypt_error`, which servers also send for other reasons.
fn certificate_refused(error: &(dyn Error + 'static)) -> bool {
    use AlertDescription::{
        BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, UnknownCA, UnsupportedCertificate,
    };
    matches!(
        error.downcast_ref(),
        Some(rustls::Error::AlertReceived(
            BadCertificate
                | CertificateExpired
                | CertificateRequired
                | CertificateRevoked
                | CertificateUnknown
                | UnknownCA
                | UnsupportedCertificate,
        ))
    )
}

/// Whether it is true of any cause of an error, also inside `io::Error`, which
/// does not name what it wraps as its source.
fn any(error: &(dyn Error + 'static), is: impl Fn(&(dyn Error + 'static)) -> bool) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if is(error) {
            return true;
        }
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

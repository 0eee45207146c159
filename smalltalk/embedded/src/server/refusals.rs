//! The errors with which the desk refuses a message, each with what to do instead.

use stui_protocol::error::{ErrorCode, ErrorDetails, ErrorInfo};

/// The signature is wrong.
pub(super) fn forged() -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::PermissionDenied,
        "The signature is wrong: it is the hex HMAC-SHA256 of the document under the key of the connection file.",
    )
}

/// Nothing shows that the sender knows the key.
pub(super) fn stranger() -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::PermissionDenied,
        "Show that you know the key of the connection file: send the hex HMAC-SHA256 of the document in a frame before it, or Authenticate once.",
    )
}

/// The document is larger than is read.
pub(super) fn too_large(len: usize, limit: usize) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidRequest,
        format!("The message has {len} bytes; at most {limit} are read. Send less at once."),
    )
    .with(ErrorDetails {
        limit: Some(limit as u64),
        ..ErrorDetails::default()
    })
}

/// The request was answered too long ago.
pub(super) fn forgotten() -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InternalError,
        "This request was answered before, but its reply is no longer kept; it was not run again.",
    )
}

/// The id belongs to another request.
pub(super) fn id_used_twice() -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidRequest,
        "This id was used for another request; every request needs a fresh UUID.",
    )
}

/// The request type is not answered here.
pub(super) fn unsupported(request_type: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::UnsupportedOperation,
        format!("{request_type} is not supported by this server; Describe tells what is."),
    )
    .with(ErrorDetails {
        supported: super::requests::SUPPORTED
            .iter()
            .map(ToString::to_string)
            .collect(),
        ..ErrorDetails::default()
    })
}

//! Messages on a stream, a JSON object a line, and errors.

use crate::Labels;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Every error's body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// What went wrong, in Docker's words.
    pub message: String,
}

/// Who a client says it is, to a registry: `X-Registry-Auth`, in base64 (with `-` and `_`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "lowercase")]
pub struct AuthConfig {
    /// Name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// Password.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// `name:password` in base64, instead of both.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth: String,
    /// The registry that these are for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serveraddress: String,
    /// Something to get tokens with, instead of a password.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identitytoken: String,
    /// A token to be sent as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registrytoken: String,
}

/// One line of a pull's, load's or import's progress (`CreateImageInfo`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProgressMessage {
    /// Text as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What happens to the thing that `id` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<ProgressDetail>,
    /// The same, drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// A layer, by the first twelve digits of its digest, or a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The end of it all: an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<ErrorDetail>,
    /// The same, for older clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Something for programs, like `{"ID": …}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aux: Option<Value>,
}

/// How far something is, in bytes; the total is 0 where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressDetail {
    /// Done so far.
    #[serde(skip_serializing_if = "crate::is_zero")]
    pub current: i64,
    /// To be done.
    #[serde(skip_serializing_if = "crate::is_zero")]
    pub total: i64,
}

/// An error within a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorDetail {
    /// A status, rarely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What went wrong.
    pub message: String,
}

/// One line of `GET /events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventMessage {
    /// `die`, for clients from before 1.22; only for containers and images.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// Its container or image, for the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The image, for the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// `container`, `image`, `network`…
    #[serde(rename = "Type")]
    pub kind: String,
    /// `create`, `start`, `die`…
    #[serde(rename = "Action")]
    pub action: String,
    /// To what.
    #[serde(rename = "Actor")]
    pub actor: EventActor,
    /// `local` always.
    pub scope: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Nanoseconds since 1970.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// What an event happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct EventActor {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name, image, labels, exit code…
    pub attributes: Labels,
}

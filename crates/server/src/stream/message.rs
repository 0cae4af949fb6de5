//! The texts of the stream: what comes in as types, what goes out with the data written before.

use std::error::Error as _;
use std::fmt::Write;

use netwatch_api::stream::ClientMessage;
use netwatch_api::{Problem, ProblemCode};
use tokio_tungstenite::tungstenite;

use super::mailbox::Frame;
use crate::fault::Fault;

/// Reads what a client says.
pub(super) fn read(text: &str) -> Result<ClientMessage, Fault> {
    let wrong = |e| Fault::new(ProblemCode::InvalidParameter, format!("the message does not fit: {e}"));
    serde_json::from_str(text).map_err(wrong)
}

/// Whether a message was refused for its size.
pub(super) fn is_too_large(error: &axum::Error) -> bool {
    let cause = error.source().and_then(|e| e.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

/// A frame of one subscription: `ServerMessage::Frame` around data that is JSON already.
pub(super) fn frame(id: &str, frame: &Frame, missed: u64) -> String {
    let mut text = String::with_capacity(frame.data.len() + id.len() + 128);
    text.push_str("{\"type\":\"frame\",\"id\":");
    push_string(&mut text, id);
    let _infallible = write!(text, ",\"time\":\"{}\",\"missed\":{missed},\"data\":", frame.time);
    text.push_str(&frame.data);
    text.push('}');
    text
}

/// `ServerMessage::Error`.
pub(super) fn error(id: Option<&str>, problem: &Problem) -> String {
    error_of_json(id, &serde_json::to_string(problem).unwrap_or_else(|_| "null".to_owned()))
}

/// The same around a problem that is JSON already.
pub(super) fn error_of_json(id: Option<&str>, problem: &str) -> String {
    let mut text = String::from("{\"type\":\"error\",\"id\":");
    match id {
        Some(id) => push_string(&mut text, id),
        None => text.push_str("null"),
    }
    text.push_str(",\"problem\":");
    text.push_str(problem);
    text.push('}');
    text
}

fn push_string(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

#[cfg(test)]
mod tests {
    use axum::extract::ws::Utf8Bytes;
    use netwatch_api::stream::{Data, ServerMessage};
    use netwatch_model::Timestamp;

    use super::*;

    #[test]
    fn what_goes_out_is_a_server_message() {
        let data = Utf8Bytes::from(serde_json::to_string(&Data::Events(Vec::new())).unwrap());
        let made = Frame { time: Timestamp::from_secs(7), after: 0, until: 0, data };
        let id = "a \"quoted\" \u{1b} id";
        let read: ServerMessage = serde_json::from_str(&frame(id, &made, 3)).unwrap();
        let (time, data) = (Timestamp::from_secs(7), Data::Events(Vec::new()));
        assert_eq!(read, ServerMessage::Frame { id: id.to_owned(), time, missed: 3, data });

        let problem = Problem::new(ProblemCode::InvalidFilter, "no").at(1, 2);
        let read: ServerMessage = serde_json::from_str(&error(None, &problem)).unwrap();
        assert_eq!(read, ServerMessage::Error { id: None, problem });
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"shout"}"#,
            r#"{"type":"unsubscribe","id":"1","x":1}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(r#"{"type":"unsubscribe","id":"1"}"#).is_ok());
    }
}

//! What a verified identity token says about its subject.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use netwatch_identity::external::ExternalLogin;
use netwatch_model::people::ExternalIdentity;
use serde_json::Value;

/// Most claims that are kept, and most values of one.
const MOST: (usize, usize) = (64, 256);
/// Longest value, bytes.
const LONGEST: usize = 512;

/// The login of a token that was verified: reads the claims once more, with those that the standard does not name.
pub(super) fn login(identity: ExternalIdentity, token: &str) -> ExternalLogin {
    let claims = payload(token).unwrap_or_default();
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(|t| t.chars().take(LONGEST).collect());
    ExternalLogin {
        identity,
        preferred_name: text("preferred_username"),
        display_name: text("name"),
        email: text("email"),
        email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
        claims: claims.iter().take(MOST.0).map(|(name, value)| (name.clone(), values(value))).collect(),
    }
}

fn payload(token: &str) -> Option<BTreeMap<String, Value>> {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(1)?).ok()?).ok()
}

/// A claim as texts: itself, or its elements.
fn values(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) if text.len() <= LONGEST => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(all) => all.iter().take(MOST.1).filter_map(one).collect(),
        other => one(other).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_become_texts() {
        let json =
            r#"{"sub":"1","name":"Ada","email":"a@b.c","email_verified":"true","groups":["x",7,{"a":1}],"level":3}"#;
        let token = format!("e30.{}.sig", BASE64.encode(json));
        let identity = ExternalIdentity { issuer: "i".to_owned(), subject: "1".to_owned() };
        let login = login(identity.clone(), &token);
        assert_eq!((login.display_name.as_deref(), login.email_verified), (Some("Ada"), false), "only true is true");
        assert_eq!(login.claims["groups"], ["x", "7"]);
        assert_eq!(login.claims["level"], ["3"]);
        assert!(super::login(identity, "no token").claims.is_empty());
    }
}

//! Passkeys (Web Authentication, level 3): adding and removing them, and signing in with one.
//!
//! Both begin with a [`PasskeyChallenge`]: its options are given to the browser, whose answer comes back with the `ceremony`. What stands
//! in options and answers is the standard's (`PublicKeyCredentialCreationOptionsJSON`, `PublicKeyCredentialRequestOptionsJSON`,
//! `RegistrationResponseJSON`, `AuthenticationResponseJSON`).

use std::fmt;

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::sign_in::Hidden;

/// What a browser is asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasskeyChallenge {
    /// To be sent with the answer; good once.
    pub ceremony: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object)]
    pub options: Value,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

/// `POST /api/v1/account/passkeys/confirm`: the passkey that the browser made.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyConfirmation {
    /// Of the challenge.
    #[schema(value_type = String)]
    pub ceremony: Hidden,
    /// What the user calls it, such as the device on which it is.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What the browser answered, as its `toJSON()` gives it.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// `PATCH /api/v1/account/passkeys/{passkey}`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyPatch {
    /// What the user calls it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// `POST /api/v1/sign-in/passkey`
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeySignIn {
    /// The ticket of a right password, when the passkey is the second factor; left out when it is all.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub ticket: Option<Hidden>,
}

/// `POST /api/v1/sign-in/passkey/finish`
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// Of the challenge.
    #[schema(value_type = String)]
    pub ceremony: Hidden,
    /// What the browser answered, as its `toJSON()` gives it.
    #[schema(value_type = Object)]
    pub credential: Value,
}

impl fmt::Debug for PasskeyConfirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyConfirmation").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for PasskeyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyAnswer").finish_non_exhaustive()
    }
}

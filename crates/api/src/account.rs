//! One's own account: name, address, password, second factor.
//!
//! Changing how one signs in needs the password in the same request; who has none needs a sign-in of the last fifteen minutes.

use netwatch_model::Timestamp;
use netwatch_model::people::CredentialId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::session::SessionUser;
use crate::sign_in::Hidden;

/// `GET /api/v1/account`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Who.
    pub user: SessionUser,
    /// Address.
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// Ways in which they sign in.
    pub credentials: Vec<AccountCredential>,
    /// Recovery codes that are left; null without one-time passwords.
    pub recovery_codes_left: Option<u32>,
}

/// A way in which the user signs in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountCredential {
    /// Identity.
    #[schema(value_type = String)]
    pub id: CredentialId,
    /// `password`, `totp`, `passkey` or `external`.
    pub kind: String,
    /// What it is called; for `external` the issuer.
    pub name: String,
    /// When it was made or last changed.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last let somebody in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
}

/// `PATCH /api/v1/account`: fields that are left out stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// How to be shown.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Address; another one has to be verified again. Empty removes it.
    #[serde(default)]
    pub email: Option<String>,
}

/// `PUT /api/v1/account/password`: ends all other sessions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password so far; left out by who has none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub current: Option<Hidden>,
    /// The new one.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    pub new: Hidden,
}

/// `POST /api/v1/account/totp` and `DELETE /api/v1/account/totp`: needs the password.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordProof {
    /// The password; left out by who has none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Hidden>,
}

/// What an authenticator app needs: shown once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TotpEnrolment {
    /// `otpauth://…`, for a QR code.
    pub url: String,
    /// The key, for typing.
    pub key: String,
    /// Ten codes for the day when the authenticator is lost: each is good once.
    pub recovery_codes: Vec<String>,
}

/// `POST /api/v1/account/totp/confirm`: one-time passwords are asked for from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpConfirmation {
    /// What the authenticator shows.
    #[schema(value_type = String)]
    pub code: Hidden,
}

/// `POST /api/v1/account/email-verification`: whether a link was made. There is no mail channel yet: an administrator finds it in the
/// log of the server, or makes one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerificationOffer {
    /// What happens next, for people.
    pub detail: String,
}

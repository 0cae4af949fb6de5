//! Signing in, setting up, coming in by a link.
//!
//! Nothing here tells whether a user exists: a wrong name and a wrong password get the same answer after the same time.

use std::fmt;

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::session::Session;

/// A secret in a request: hidden from `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// `GET /api/v1/sign-in`: how one can sign in here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignInOptions {
    /// Whether there is nobody yet: the printed link makes the first administrator.
    pub set_up_needed: bool,
    /// Whether anybody may register.
    pub registration: bool,
    /// Identity providers; open `/auth/oidc/{id}/start` in the browser.
    pub identity_providers: Vec<IdentityProvider>,
    /// The name for which passkeys are good here, over TLS or as `localhost`; null where this server is reached by an address.
    pub passkey_domain: Option<String>,
    /// Fewest characters of a password.
    pub password_min: u32,
    /// As many are recommended.
    pub password_recommended: u32,
}

/// An identity provider that is configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct IdentityProvider {
    /// Its word in addresses.
    pub id: String,
    /// How it is shown.
    pub name: String,
}

/// `POST /api/v1/setup`: makes the first administrator and the first workspace, and signs in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpRequest {
    /// The code of the printed link.
    #[schema(value_type = String)]
    pub code: Hidden,
    /// What the administrator signs in with: letters, digits and `. _ @ + -`.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// How they are shown; the name when left out.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Their address.
    #[serde(default)]
    pub email: Option<String>,
    /// Their password, at least 12 characters.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    pub password: Hidden,
    /// Name of the first workspace; `Home` when left out.
    #[serde(default)]
    pub workspace: Option<String>,
}

/// `POST /api/v1/sign-in`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// User name.
    pub name: String,
    /// Password.
    #[schema(value_type = String)]
    pub password: Hidden,
}

/// What comes of a name and a password.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum SignInAnswer {
    /// Signed in; the cookie is set.
    SignedIn {
        /// Who and where.
        session: Box<Session>,
    },
    /// The password is right; a second factor is needed.
    SecondFactor {
        /// To be sent with the code; good for a few minutes and a few attempts.
        ticket: String,
        /// What is taken: `totp`, `recovery`, and `passkey` where the user has one.
        methods: Vec<String>,
        /// When the ticket ends.
        #[schema(value_type = String, format = DateTime)]
        expires: Timestamp,
    },
}

/// `POST /api/v1/sign-in/second-factor`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorRequest {
    /// The ticket.
    #[schema(value_type = String)]
    pub ticket: Hidden,
    /// The one-time password, or a recovery code.
    #[schema(value_type = String)]
    pub code: Hidden,
}

/// `POST /api/v1/password-reset`: sets a new password with a link, ends all sessions of its user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordResetRequest {
    /// The code of the link.
    #[schema(value_type = String)]
    pub code: Hidden,
    /// The new password.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    pub password: Hidden,
}

/// `POST /api/v1/email-verification`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailVerificationRequest {
    /// The code of the link.
    #[schema(value_type = String)]
    pub code: Hidden,
}

/// `POST /api/v1/registration`: an account of one's own, where that is switched on. There is no role in it, and none is taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationRequest {
    /// What to sign in with.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// How to be shown; the name when left out.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Address, to be verified.
    pub email: String,
    /// Password.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    pub password: Hidden,
}

/// `POST /api/v1/invitation`: what an invitation offers, for whoever holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCode {
    /// The code of the link.
    #[schema(value_type = String)]
    pub code: Hidden,
}

/// What an invitation offers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvitationOffer {
    /// Into which workspace.
    pub workspace: String,
    /// As what: a built-in role, or the name of a custom one.
    pub role: String,
    /// For whom, if the inviter said so.
    pub email: Option<String>,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

/// `POST /api/v1/invitation/accept`: a new account by invitation, and signs in. Who has an account signs in first and accepts with
/// `POST /api/v1/account/invitation`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitationRequest {
    /// The code of the link.
    #[schema(value_type = String)]
    pub code: Hidden,
    /// What to sign in with.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// How to be shown; the name when left out.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Password.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    pub password: Hidden,
}

/// What an identity provider sends back: `GET /auth/oidc/{provider}/callback`. Parameters of theirs that we do not know are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallbackQuery {
    /// The authorisation code.
    #[serde(default)]
    pub code: Option<String>,
    /// What we sent along.
    #[serde(default)]
    pub state: Option<String>,
    /// Who answers (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
    /// Why not.
    #[serde(default)]
    pub error: Option<String>,
}

/// `POST /api/v1/users/{user}/link`: a link for a user, shown to the administrator who made it. There is no mail channel yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserLinkRequest {
    /// For what.
    pub purpose: UserLinkPurpose,
}

/// For what a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserLinkPurpose {
    /// Set a new password; the link is `/reset#CODE`.
    ResetPassword,
    /// Show that the address is theirs; the link is `/verify#CODE`.
    VerifyEmail,
}

/// A link, shown once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserLink {
    /// Path and code: put the address of this server before it.
    pub path: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

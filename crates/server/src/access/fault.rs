//! What people are told when access control refuses or fails.

use axum::http::{HeaderValue, header};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::StoreError;

use super::error::{AccessError, Refusal};
use crate::fault::Fault;

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Refused(refusal) => refusal.into(),
            AccessError::Store(error) => error.into(),
            other => internal(&other),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::NotFound(_) | StoreError::Orphan(_) => Self::new(ProblemCode::NotFound, detail),
            StoreError::Taken { .. } => Self::new(ProblemCode::Conflict, detail),
            StoreError::Stale { .. } => Self::new(ProblemCode::PreconditionFailed, detail),
            StoreError::TooLarge(_) => Self::new(ProblemCode::TooLarge, detail),
            StoreError::Full(_) => Self::new(ProblemCode::ReadOnly, detail),
            StoreError::Busy(_) | StoreError::Stopped => Self::unavailable(detail),
            other => internal(&other),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let of = |code| Problem::new(code, detail.clone());
        let problem = match refusal {
            Refusal::Wait(wait) => return Self::too_many(detail, wait.as_secs() + 1),
            Refusal::WrongPassword | Refusal::WrongCode | Refusal::WrongPasskey => {
                // RFC 9110, section 11.6.1: a 401 names a scheme.
                let challenge = HeaderValue::from_static("Bearer realm=\"netwatch\"");
                return Self::new(ProblemCode::Unauthenticated, detail).with(header::WWW_AUTHENTICATE, challenge);
            }
            Refusal::TicketGone => of(ProblemCode::Gone).parameter("ticket"),
            Refusal::CeremonyGone => of(ProblemCode::Gone).parameter("ceremony"),
            Refusal::PasskeyUnusable => of(ProblemCode::InvalidParameter).parameter("credential"),
            Refusal::LinkGone => of(ProblemCode::Gone).parameter("code"),
            Refusal::SetUpNeeded | Refusal::SetUpDone | Refusal::Totp(_) | Refusal::MemberAlready => {
                of(ProblemCode::Conflict)
            }
            Refusal::NoAdministrator | Refusal::Email(_) | Refusal::PasskeyUnfit(_) | Refusal::LastWayIn => {
                of(ProblemCode::Conflict)
            }
            Refusal::Taken(what) => of(ProblemCode::Conflict).parameter(what.replace("user name", "name")),
            Refusal::Weak(_) => of(ProblemCode::InvalidParameter).parameter("password"),
            Refusal::Invalid { field, .. } => of(ProblemCode::InvalidParameter).parameter(field),
            Refusal::NotFound(_) => of(ProblemCode::NotFound),
            Refusal::Full | Refusal::PasskeysFull => of(ProblemCode::LimitReached),
            Refusal::RegistrationOff
            | Refusal::NeedsPassword
            | Refusal::NotAUser
            | Refusal::External(_)
            | Refusal::NoAccount
            | Refusal::Role => of(ProblemCode::Forbidden),
        };
        problem.into()
    }
}

fn internal(error: &(dyn std::error::Error + 'static)) -> Fault {
    tracing::error!(error, "access control failed");
    Fault::new(ProblemCode::Internal, "the server cannot use its data directory; its log tells more")
}

//! The list of problem codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Makes the type of the list: variant, word, status, title, meaning.
macro_rules! codes {
    ($($name:ident $word:tt $status:literal $title:literal $meaning:literal;)*) => {
        /// What went wrong, as a word that programs can rely on.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
        pub enum ProblemCode {
            $(#[doc = $meaning] #[serde(rename = $word)] $name,)*
        }

        impl ProblemCode {
            /// All codes, by status.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as it is written.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status of the code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// A short human title.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// When it is given, and what to do.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    InvalidParameter "invalid_parameter" 400 "Invalid parameter"
        "a parameter or a field of the body is unknown or has a wrong value; `parameter` names it";
    InvalidFilter "invalid_filter" 400 "Invalid filter"
        "the filter text is wrong; `position` tells where (byte offset) and `length` how far";
    InvalidCursor "invalid_cursor" 400 "Invalid cursor"
        "the cursor is not one that this list gave for this question: begin with the first page";
    Unauthenticated "unauthenticated" 401 "Sign-in needed"
        "no session and no token, or an unknown one";
    Forbidden "forbidden" 403 "Not allowed"
        "Origin or Host is not allowed, or the permission is missing";
    NotFound "not_found" 404 "Not found"
        "no such route or object, or none that the one who asks may see";
    MethodNotAllowed "method_not_allowed" 405 "Method not allowed"
        "the route exists, but not with this method: `Allow` lists those that it has";
    Conflict "conflict" 409 "Conflict"
        "the change contradicts what is there: the name is taken, or something still needs the object";
    LimitReached "limit_reached" 409 "Limit reached"
        "there are as many as are allowed: remove some, or have the limit raised";
    AgentsNotServed "agents_not_served" 409 "Agents are not served"
        "the server does not listen for agents: set `agents.listen` in its configuration";
    ManagedByFile "managed_by_file" 409 "Managed by a file"
        "the object is owned by a file that was applied: change the file and apply it again";
    RequestInProgress "request_in_progress" 409 "Request in progress"
        "the first request with this `Idempotency-Key` has not been answered yet: send it again a little later";
    Gone "gone" 410 "Gone"
        "the cursor's snapshot, or the one-time code, is gone";
    PreconditionFailed "precondition_failed" 412 "Changed meanwhile"
        "the object is not the one that `If-Match` names: read it again, and change what it is now";
    TooLarge "too_large" 413 "Too large"
        "the body is larger than the route takes";
    UnsupportedMediaType "unsupported_media_type" 415 "Unsupported media type"
        "the body must be JSON, not compressed";
    KeyReused "key_reused" 422 "Idempotency key used before"
        "the `Idempotency-Key` came before with another request: a new request needs a new key";
    InvalidConfiguration "invalid_configuration" 422 "Invalid configuration"
        "the configuration is wrong, `detail` tells all of it; nothing was changed";
    PreconditionRequired "precondition_required" 428 "Precondition required"
        "the change needs `If-Match` with the `ETag` of what it changes";
    TooManyRequests "too_many_requests" 429 "Too many requests"
        "`Retry-After` tells in how many seconds to come again";
    Internal "internal" 500 "Internal error"
        "a defect of ours; the log has the cause";
    Unavailable "unavailable" 503 "Unavailable"
        "not ready, or overloaded; `Retry-After` tells when to come again";
    ReadOnly "read_only" 503 "Read-only"
        "nothing new is taken in while the disk is nearly full; reading works, and writing will again by itself";
}

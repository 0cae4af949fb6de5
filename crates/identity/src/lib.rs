//! The rules of people and access.
//!
//! Who may sign in, with what, for how long; what a role, a token and an invitation allow; how the audit log is chained. Everything
//! here is a plain function or a small table: it is given the time and values of [`netwatch_model::people`], and returns a decision.
//! What is remembered is in the crate `entities`, what is asked and answered is in the server.
//!
//! | module | decides |
//! |---|---|
//! | [`secret`] | how secrets are drawn, hashed and compared |
//! | [`password`] | which passwords may be chosen, and whether one is right |
//! | [`passkey`] | where passkeys are good, and whether an answer of one holds |
//! | [`totp`] | one-time passwords and recovery codes |
//! | [`session`] | when a session ends |
//! | [`token`] | what an API token looks like |
//! | [`enrolment`] | what the token of an agent looks like |
//! | [`link`] | invitations and one-time links |
//! | [`access`] | what somebody may do in a workspace, and which roles they may give |
//! | [`registration`] | whether strangers may register, and what the unverified may not |
//! | [`external`] | who comes from an identity provider, and which role that gives |
//! | [`throttle`] | how fast one may guess |
//! | [`audit`] | the chain of the audit log |
//!
//! Limits: the only thing taken from outside is random bytes of the operating system. The cost of a password check is 19 MiB of memory
//! and tens of milliseconds: callers bound how many run at once.

pub mod access;
pub mod audit;
pub mod enrolment;
pub mod external;
pub mod link;
pub mod passkey;
pub mod password;
pub mod registration;
pub mod secret;
pub mod session;
pub mod throttle;
pub mod token;
pub mod totp;

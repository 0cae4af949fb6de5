//! The routes: each handler reads its parameters, asks the store, and gives a type of the contract.

mod events;
mod filter;
mod flows;
mod hosts;
mod interfaces;
mod openapi;
mod session;
mod statistics;
mod system;
mod traffic;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::document;
use crate::registry::Permission::{Invite, Public, Read};
use crate::registry::Registry;
use crate::stream;

/// Every route there is.
pub(crate) fn all() -> Registry {
    Registry::new(document::base())
        .route(Public, routes!(system::livez))
        .route(Public, routes!(system::readyz))
        .route(Read, routes!(system::metrics))
        .route(Read, routes!(flows::list))
        .route(Read, routes!(flows::one))
        .route(Read, routes!(traffic::rates))
        .route(Read, routes!(traffic::top))
        .route(Read, routes!(hosts::one))
        .route(Read, routes!(interfaces::list))
        .route(Read, routes!(statistics::show))
        .route(Read, routes!(events::list))
        .route(Read, routes!(filter::check))
        .route(Read, routes!(filter::fields))
        .route(Public, routes!(session::sign_in))
        .route(Read, routes!(session::show))
        .route(Read, routes!(session::sign_out))
        .route(Invite, routes!(session::invite))
        .route(Read, routes!(stream::open))
        .route(Read, routes!(openapi::show))
}

/// Of routes that take no parameters: whatever is given is refused by name.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

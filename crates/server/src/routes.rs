//! The routes: each handler reads its parameters, asks the store, and gives a type of the contract.

mod account;
mod blackbox;
mod contract;
mod control;
mod event_stream;
mod events;
mod filter;
mod flows;
mod history;
mod hosts;
mod ingest;
mod interfaces;
mod links;
mod manage;
mod oidc;
mod openapi;
mod passkeys;
pub(crate) mod people;
mod probes;
mod reference;
mod session;
mod sign_in;
mod statistics;
mod system;
mod traffic;

use netwatch_model::people::Permission::{ProbesRun, SiteUsers, SystemRead, TrafficRead};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::document;
use crate::registry::Need::{Local, Public, SignedIn};
use crate::registry::Registry;
use crate::stream;

pub(crate) use probes::once::{LONGEST as MEASURED_FOR, PATH as MEASURED};

/// Every route there is.
pub(crate) fn all() -> Registry {
    probes::add(history::add(manage::add(contract::add(Registry::new(document::base())))))
        .route(Public, routes!(system::livez))
        .route(Public, routes!(system::readyz))
        .route(SystemRead, routes!(system::metrics))
        .route(ProbesRun, routes!(blackbox::probe))
        .route(TrafficRead, routes!(flows::list))
        .route(TrafficRead, routes!(flows::one))
        .route(TrafficRead, routes!(traffic::rates))
        .route(TrafficRead, routes!(traffic::top))
        .route(TrafficRead, routes!(hosts::one))
        .route(TrafficRead, routes!(interfaces::list))
        .route(TrafficRead, routes!(statistics::show))
        .route(TrafficRead, routes!(events::list))
        .route(SignedIn, routes!(filter::check))
        .route(SignedIn, routes!(filter::fields))
        .route(Public, routes!(sign_in::options, sign_in::password))
        .route(Public, routes!(sign_in::second_factor))
        .route(Public, routes!(passkeys::begin_sign_in))
        .route(Public, routes!(passkeys::finish_sign_in))
        .route(Public, routes!(oidc::start))
        .route(Public, routes!(oidc::callback))
        .route(Public, routes!(sign_in::set_up))
        .route(Public, routes!(sign_in::reset_password))
        .route(Public, routes!(sign_in::verify_email))
        .route(Public, routes!(sign_in::register))
        .route(Public, routes!(sign_in::invitation))
        .route(Public, routes!(sign_in::accept_invitation))
        .route(SignedIn, routes!(account::show, account::change))
        .route(SignedIn, routes!(account::password))
        .route(SignedIn, routes!(account::begin_totp, account::end_totp))
        .route(SignedIn, routes!(account::confirm_totp))
        .route(SignedIn, routes!(passkeys::begin))
        .route(SignedIn, routes!(passkeys::confirm))
        .route(SignedIn, routes!(passkeys::rename, passkeys::remove))
        .route(SignedIn, routes!(account::sessions, account::end_other_sessions))
        .route(SignedIn, routes!(account::end_session))
        .route(SignedIn, routes!(account::verification))
        .route(SignedIn, routes!(account::accept_invitation))
        .route(SignedIn, routes!(session::open_workspace))
        .route(SiteUsers, routes!(links::create))
        .route(Public, routes!(session::sign_in))
        .route(SignedIn, routes!(session::show))
        .route(SignedIn, routes!(session::sign_out))
        .route(Local, routes!(session::invite))
        .route(TrafficRead, routes!(stream::open))
}

/// Of routes that take no parameters: whatever is given is refused by name.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

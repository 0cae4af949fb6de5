//! What every store must do, whatever engine is behind it.
//!
//! Each test asks for a fresh store by [`fixture::fresh`] and uses the port alone: another engine is proven by another fixture.

mod audit;
mod fixture;
mod isolation;
mod model;
mod objects;
mod secrets;
mod transactions;

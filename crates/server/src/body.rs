//! How much of a request is read: what its route declares, and not a byte more.
//!
//! The limit holds for every way in which a handler reads the body: as JSON, as bytes, or as a stream.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::Limited;

use crate::fault::Fault;
use crate::params::MaxBody;
use crate::registry::Bodies;

/// The middleware. A body whose announced length is too large is refused before it is read.
pub(crate) async fn limit(State(bodies): State<Arc<Bodies>>, request: Request, next: Next) -> Result<Response, Fault> {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let most: MaxBody = bodies.of(path);
    if request.body().size_hint().lower() > most.0 as u64 {
        return Err(most.too_large());
    }
    let mut request = request.map(|body| Body::new(Limited::new(body, most.0)));
    request.extensions_mut().insert(most);
    Ok(next.run(request).await)
}

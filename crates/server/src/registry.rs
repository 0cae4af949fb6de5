//! The list of all routes, each with the permission that it needs.
//!
//! A route can be added in one way only, and that way asks for its [`Permission`]: one that declares none does not compile. The list is
//! what the gate decides by, and what the OpenAPI document is made from.

use std::collections::HashMap;

use axum::Router;
use axum::http::Method;
use netwatch_model::people::Permission;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, Required, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::app::App;
use crate::params::MaxBody;

/// What a request must be allowed to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// Anybody may ask: health, and signing in.
    Public,
    /// Whoever is signed in, about themselves.
    SignedIn,
    /// The holder of the token of the data directory alone.
    Local,
    /// Who has this permission, in the workspace of the request or over the site.
    Allowed(Permission),
}

/// Where the document says what an operation needs.
const NEED: &str = "x-permission";

impl Need {
    /// As the document says it: the word of a permission, or `public`, `signed_in`, `local`.
    const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SignedIn => "signed_in",
            Self::Local => "local",
            Self::Allowed(permission) => permission.word(),
        }
    }
}

impl From<Permission> for Need {
    fn from(permission: Permission) -> Self {
        Self::Allowed(permission)
    }
}

/// Which permission each method of each path needs.
#[derive(Debug, Default)]
pub(crate) struct Permissions(HashMap<String, Vec<(Method, Need)>>);

impl Permissions {
    /// What `method` on the route `path` needs; signing in when the method is unknown, so that strangers learn nothing from it.
    pub(crate) fn of(&self, path: &str, method: &Method) -> Need {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let declared = self.0.get(path).and_then(|list| list.iter().find(|(m, _)| m == method));
        declared.map_or(Need::SignedIn, |(_, need)| *need)
    }
}

/// The largest body of the routes that take more than others.
#[derive(Debug, Default)]
pub(crate) struct Bodies(HashMap<String, MaxBody>);

impl Bodies {
    /// What the route `path` takes.
    pub(crate) fn of(&self, path: Option<&str>) -> MaxBody {
        path.and_then(|p| self.0.get(p)).copied().unwrap_or(MaxBody::DEFAULT)
    }
}

/// Collects routes.
pub(crate) struct Registry {
    router: OpenApiRouter<App>,
    permissions: Permissions,
    bodies: Bodies,
}

/// All that the list of routes is made into.
pub(crate) struct Routes {
    /// The handlers.
    pub(crate) router: Router<App>,
    /// What each needs.
    pub(crate) permissions: Permissions,
    /// How much each reads.
    pub(crate) bodies: Bodies,
    /// What each says of itself.
    pub(crate) document: OpenApi,
}

impl Registry {
    /// No routes, and what the document says beside them.
    pub(crate) fn new(document: OpenApi) -> Self {
        Self {
            router: OpenApiRouter::with_openapi(document),
            permissions: Permissions::default(),
            bodies: Bodies::default(),
        }
    }

    /// Adds the handlers of one path, made with `routes!`.
    pub(crate) fn route(
        mut self,
        need: impl Into<Need>,
        (schemas, mut paths, handlers): UtoipaMethodRouter<App>,
    ) -> Self {
        let need = need.into();
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                describe(operation, &method, need);
                self.permissions.0.entry(path.clone()).or_default().push((method, need));
            }
        }
        self.router = self.router.routes((schemas, paths, handlers));
        self
    }

    /// Adds handlers of one path that read bodies of up to `most` bytes, more than the 64 KiB that others do.
    pub(crate) fn upload(mut self, need: impl Into<Need>, most: usize, routes: UtoipaMethodRouter<App>) -> Self {
        let paths = routes.1.paths.keys().map(|path| (path.clone(), MaxBody(most)));
        self.bodies.0.extend(paths);
        self.route(need, routes)
    }

    /// Everything that was collected.
    pub(crate) fn finish(self) -> Routes {
        let (router, document) = self.router.split_for_parts();
        Routes { router, permissions: self.permissions, bodies: self.bodies, document }
    }
}

/// Writes into the document what holds for every operation of that permission.
fn describe(operation: &mut Operation, method: &Method, need: Need) {
    if matches!(*method, Method::POST | Method::PATCH) && need != Need::Public {
        operation.parameters.get_or_insert_default().push(idempotency_key().into());
    }
    let extensions = operation.extensions.get_or_insert_default();
    extensions.merge(ExtensionsBuilder::new().add(NEED, need.word()).build());
    let none: [&str; 0] = [];
    operation.security = Some(match need {
        Need::Public => vec![SecurityRequirement::default()],
        Need::Local => vec![SecurityRequirement::new("token", none)],
        Need::SignedIn | Need::Allowed(_) => {
            vec![SecurityRequirement::new("session", none), SecurityRequirement::new("token", none)]
        }
    });
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem = ResponseBuilder::new().description("What went wrong").content("application/problem+json", content);
    operation.responses.responses.insert("default".to_owned(), problem.build().into());
}

/// Everything that changes something can be sent again without harm.
fn idempotency_key() -> Parameter {
    let text =
        "A text of your choice: when the request comes again with it, it gets the first answer and changes nothing.";
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(schema.pattern(Some("^[!-~]+$"))))
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::PATCH, &mut item.patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

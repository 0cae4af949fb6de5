//! Signing in with OpenID Connect: the authorisation code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9700).
//!
//! What must hold, and where: the library checks signature, issuer, audience, expiry and nonce of the identity token and the issuer of
//! the discovery document; here a login is bound to the browser that began it (a cookie beside `state`), is used once, and ends after ten
//! minutes; each provider has a callback of its own and an `iss` that comes with the answer must be its issuer (RFC 9207), so that no
//! provider can answer for another. All requests go through the guard; redirects are not followed.
//!
//! Limits: 1024 logins under way, the oldest goes; what a provider says of itself is kept for ten minutes; 64 claims of 256 values.

mod claims;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_api::sign_in::{CallbackQuery, IdentityProvider};
use netwatch_egress::{Caps, Policy};
use netwatch_identity::external::{ExternalLogin, RoleRule};
use netwatch_identity::secret::{self, RandomError, Secret};
use netwatch_model::people::{Digest, ExternalIdentity, SecretText};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};

use crate::outgoing::{Outgoing, OutgoingError};

/// How long somebody may take at the provider.
pub(crate) const LOGIN_LIFE: Duration = Duration::from_secs(600);
/// Logins under way.
const MOST: usize = 1024;
/// How long the provider's own description is kept.
const METADATA_LIFE: Duration = Duration::from_secs(600);

/// An identity provider, as it is configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OidcProvider {
    /// Its word in addresses: letters, digits and hyphens.
    pub id: String,
    /// How it is shown.
    pub name: String,
    /// The issuer, exactly as the provider writes it.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there; none for public clients.
    pub client_secret: Option<SecretText>,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Whether people who are not known yet get an account.
    pub provision: bool,
    /// Which claims give which roles.
    pub roles: Vec<RoleRule>,
    /// Where requests to it may go beside public addresses.
    pub outgoing: Policy,
}

/// A login cannot begin or end. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The configuration cannot be used.
    #[error("the configuration of the identity provider is wrong: {0}")]
    Configuration(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// No requests can be made.
    #[error("requests to the identity provider cannot be made")]
    Outgoing(#[from] OutgoingError),
    /// No random bytes.
    #[error("a login needs random bytes")]
    Random(#[from] RandomError),
    /// The provider does not describe itself.
    #[error("the identity provider does not describe itself under its issuer")]
    Discovery(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The login was not begun here, by this browser, or is over.
    #[error("the login was not begun by this browser, took too long, or was used already")]
    NoLogin,
    /// The provider said no.
    #[error("the identity provider refused: {0}")]
    Denied(String),
    /// Another provider answered.
    #[error("the answer is not from the provider that was asked")]
    Issuer,
    /// The code cannot be traded.
    #[error("the identity provider gave no token for the code")]
    Exchange(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The token does not hold.
    #[error("the identity token does not hold")]
    Token(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A source of identities outside Netwatch: begins with an address to go to, ends with somebody it has proven.
///
/// OpenID Connect is one. SAML fits with another way of beginning and ending; LDAP proves with name and password instead of an address
/// and ends in the same [`ExternalLogin`], from where `access` goes on alike.
pub(crate) trait IdentitySource: Send + Sync {
    /// Where to send the browser, and the secret that binds the login to it.
    fn begin(&self, callback: &str, now: Duration) -> impl Future<Output = Result<(String, Secret), OidcError>> + Send;

    /// Who came back, for the browser that has `binding`.
    fn finish(
        &self,
        query: CallbackQuery,
        binding: &str,
        now: Duration,
    ) -> impl Future<Output = Result<ExternalLogin, OidcError>> + Send;
}

/// All providers that are configured.
pub(crate) struct Providers(Vec<Arc<Provider>>);

/// One provider at work.
pub(crate) struct Provider {
    /// As it is configured.
    pub(crate) config: OidcProvider,
    requests: Outgoing,
    metadata: tokio::sync::Mutex<Option<(Duration, CoreProviderMetadata)>>,
    logins: Mutex<VecDeque<Login>>,
}

/// A client that knows what the provider says of itself.
type ReadyClient =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A login under way.
struct Login {
    state: Digest,
    binding: Digest,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    callback: RedirectUrl,
    ends: Duration,
}

impl Providers {
    /// Those of the configuration.
    ///
    /// # Errors
    /// When no requests can be made.
    pub(crate) fn new(configs: &[OidcProvider]) -> Result<Self, OutgoingError> {
        let provider = |config: &OidcProvider| {
            let requests = Outgoing::new(config.outgoing.clone(), Caps::default())?;
            let (metadata, logins) = (tokio::sync::Mutex::default(), Mutex::default());
            Ok(Arc::new(Provider { config: config.clone(), requests, metadata, logins }))
        };
        configs.iter().map(provider).collect::<Result<_, _>>().map(Self)
    }

    /// The provider with that word.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Provider>> {
        self.0.iter().find(|p| p.config.id == id).cloned()
    }

    /// All of them, as they are shown.
    pub(crate) fn list(&self) -> Vec<IdentityProvider> {
        let shown = |p: &Arc<Provider>| IdentityProvider { id: p.config.id.clone(), name: p.config.name.clone() };
        self.0.iter().map(shown).collect()
    }
}

impl IdentitySource for Provider {
    async fn begin(&self, callback: &str, now: Duration) -> Result<(String, Secret), OidcError> {
        let metadata = self.metadata(now).await?;
        let callback = RedirectUrl::new(callback.to_owned()).map_err(configuration("the address of this server"))?;
        let client = self.client(metadata).set_redirect_uri(callback.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (state, nonce) = (Secret::session()?, Secret::session()?);
        let (csrf, nonce) = (CsrfToken::new(state.as_str().to_owned()), Nonce::new(nonce.as_str().to_owned()));
        let scopes = self.config.scopes.iter().map(|scope| Scope::new(scope.clone()));
        let (url, _, nonce) = client
            .authorize_url(flow, move || csrf, move || nonce)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        let binding = Secret::session()?;
        let (state, ends) = (state.digest(), now + LOGIN_LIFE);
        self.remember(Login { state, binding: binding.digest(), nonce, verifier, callback, ends }, now);
        Ok((url.into(), binding))
    }

    async fn finish(&self, query: CallbackQuery, binding: &str, now: Duration) -> Result<ExternalLogin, OidcError> {
        let login =
            query.state.as_deref().and_then(|state| self.take(state, binding, now)).ok_or(OidcError::NoLogin)?;
        if query.iss.is_some_and(|iss| iss != self.config.issuer) {
            return Err(OidcError::Issuer);
        }
        let denied: Option<String> =
            query.error.map(|error| error.chars().filter(char::is_ascii_graphic).take(64).collect());
        let Some(code) = query.code else {
            return Err(OidcError::Denied(denied.unwrap_or_else(|| "it gave no code".to_owned())));
        };
        let metadata = self.metadata(now).await?;
        let client = self.client(metadata).set_redirect_uri(login.callback);
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(boxed(OidcError::Exchange))?;
        let answer = request.set_pkce_verifier(login.verifier).request_async(&self.requests).await;
        let answer = answer.map_err(boxed(OidcError::Exchange))?;
        let token = answer.id_token().ok_or_else(|| OidcError::Token("there is no identity token".into()))?;
        let verified = token.claims(&client.id_token_verifier(), &login.nonce).map_err(boxed(OidcError::Token))?;
        let (issuer, subject) = (verified.issuer().as_str().to_owned(), verified.subject().as_str().to_owned());
        if issuer != self.config.issuer {
            return Err(OidcError::Issuer);
        }
        Ok(claims::login(ExternalIdentity { issuer, subject }, &token.to_string()))
    }
}

impl Provider {
    fn client(&self, metadata: CoreProviderMetadata) -> ReadyClient {
        let secret = self.config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        CoreClient::from_provider_metadata(metadata, ClientId::new(self.config.client_id.clone()), secret)
    }

    /// What the provider says of itself; asked for again now and then.
    async fn metadata(&self, now: Duration) -> Result<CoreProviderMetadata, OidcError> {
        let mut kept = self.metadata.lock().await;
        if let Some((until, metadata)) = kept.as_ref()
            && *until > now
        {
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(configuration("the issuer"))?;
        let found = CoreProviderMetadata::discover_async(issuer, &self.requests).await;
        let found = found.map_err(boxed(OidcError::Discovery))?;
        *kept = Some((now + METADATA_LIFE, found.clone()));
        Ok(found)
    }

    fn remember(&self, login: Login, now: Duration) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|l| l.ends > now);
        if logins.len() >= MOST {
            logins.pop_front();
        }
        logins.push_back(login);
    }

    /// Takes a login out: it is used once, right or wrong.
    fn take(&self, state: &str, binding: &str, now: Duration) -> Option<Login> {
        let (state, binding) = (secret::digest(state), secret::digest(binding));
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let at = logins.iter().position(|l| secret::same(&l.state, &state))?;
        let login = logins.remove(at)?;
        (login.ends > now && secret::same(&login.binding, &binding)).then_some(login)
    }
}

fn boxed<E>(into: fn(Box<dyn std::error::Error + Send + Sync>) -> OidcError) -> impl FnOnce(E) -> OidcError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| into(Box::new(error))
}

fn configuration<E>(what: &'static str) -> impl FnOnce(E) -> OidcError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| OidcError::Configuration(what, Box::new(error))
}

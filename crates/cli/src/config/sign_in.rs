//! How people sign in, as the configuration says.

use netwatch_model::people::{BuiltInRole, Role, SecretText, WorkspaceId};
use netwatch_server::{Network, OidcProvider, Policy, Registration, RoleRule};

use super::settings::Typed;
use super::{ConfigError, Key, Layers};

/// The word of the provider in addresses.
const PROVIDER: &str = "sso";

/// How people sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// Who may make an account.
    pub registration: Registration,
    /// How browsers reach the server.
    pub public_url: Option<String>,
    provider: Option<Provider>,
}

/// An identity provider, and the roles that it gives in the first workspace.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Provider {
    config: OidcProvider,
    roles: Vec<(String, String, BuiltInRole)>,
    port: u16,
}

impl SignIn {
    /// Resolves what was written.
    ///
    /// # Errors
    /// What is wrong, and where it was written.
    pub fn resolve(layers: &Layers) -> Result<Self, ConfigError> {
        let get = Typed(layers);
        let registration = Registration {
            enabled: get.flag(Key::RegistrationEnabled),
            require_verified_email: get.flag(Key::RequireVerifiedEmail),
        };
        let public_url = Some(get.text(Key::PublicUrl)).filter(|t| !t.is_empty());
        if public_url.as_deref().is_some_and(|url| port(url).is_none()) {
            return Err(ConfigError::of(
                layers,
                Key::PublicUrl,
                "the address must begin with https:// or http:// and name a host",
            ));
        }
        Ok(Self { registration, public_url, provider: Provider::resolve(layers)? })
    }

    /// The providers, for a server whose first workspace is `home`.
    pub fn providers(&self, home: WorkspaceId) -> Vec<OidcProvider> {
        let rule = |(claim, value, role): &(String, String, BuiltInRole)| RoleRule {
            claim: claim.clone(),
            value: value.clone(),
            workspace: home,
            role: Role::BuiltIn(*role),
        };
        let ready = |p: &Provider| OidcProvider { roles: p.roles.iter().map(rule).collect(), ..p.config.clone() };
        self.provider.iter().map(ready).collect()
    }

    /// Ports to which the server must be able to connect.
    pub fn ports(&self) -> Vec<u16> {
        self.provider.iter().map(|p| p.port).collect()
    }
}

impl Provider {
    fn resolve(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        let get = Typed(layers);
        let issuer = get.text(Key::OidcIssuer);
        if issuer.is_empty() {
            return Ok(None);
        }
        let Some(port) = port(&issuer) else {
            return Err(ConfigError::of(
                layers,
                Key::OidcIssuer,
                "the issuer must begin with https:// or http:// and name a host",
            ));
        };
        let client_id = get.text(Key::OidcClientId);
        if client_id.is_empty() {
            return Err(ConfigError::of(
                layers,
                Key::OidcClientId,
                "an issuer needs a client id: register Netwatch at the provider",
            ));
        }
        let role = |text: &String| role(text).ok_or_else(|| ConfigError::of(layers, Key::OidcRoles, ROLE_FORM));
        let allow =
            |text: &String| text.parse::<Network>().map_err(|e| ConfigError::of(layers, Key::OidcAllow, e.to_string()));
        let config = OidcProvider {
            id: PROVIDER.to_owned(),
            name: get.text(Key::OidcName),
            issuer,
            client_id,
            client_secret: Some(get.text(Key::OidcClientSecret)).filter(|t| !t.is_empty()).map(SecretText::new),
            scopes: get.list(Key::OidcScopes),
            provision: get.flag(Key::OidcProvision),
            roles: Vec::new(),
            outgoing: Policy {
                allow: get.list(Key::OidcAllow).iter().map(allow).collect::<Result<_, _>>()?,
                deny: Vec::new(),
            },
        };
        let roles = get.list(Key::OidcRoles).iter().map(role).collect::<Result<_, _>>()?;
        Ok(Some(Self { config, roles, port }))
    }
}

const ROLE_FORM: &str = "a role is written as CLAIM=VALUE:ROLE, with viewer, operator, admin or owner as the role";

/// `CLAIM=VALUE:ROLE`; the value may hold colons.
fn role(text: &str) -> Option<(String, String, BuiltInRole)> {
    let (claim, rest) = text.split_once('=')?;
    let (value, role) = rest.rsplit_once(':')?;
    let named = !claim.is_empty() && !value.is_empty();
    role.parse().ok().filter(|_| named).map(|role| (claim.to_owned(), value.to_owned(), role))
}

/// The port of an address that is one.
pub(super) fn port(url: &str) -> Option<u16> {
    let (rest, default) =
        url.strip_prefix("https://").map(|r| (r, 443)).or_else(|| url.strip_prefix("http://").map(|r| (r, 80)))?;
    let authority = rest.split(['/', '?', '#']).next().filter(|a| !a.is_empty() && !a.contains('@'))?;
    let after = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    match after.rsplit_once(':') {
        Some((_, port)) => port.parse().ok(),
        None => Some(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_ports_are_read() {
        let read = role("groups=urn:a:net:operator").unwrap();
        assert_eq!((read.0.as_str(), read.1.as_str(), read.2), ("groups", "urn:a:net", BuiltInRole::Operator));
        for bad in ["", "groups", "groups=net", "groups=net:root", "=net:viewer", "groups=:viewer"] {
            assert!(role(bad).is_none(), "{bad}");
        }
        for (url, expected) in [
            ("https://id.example/realms/x", Some(443)),
            ("http://[::1]:8080/", Some(8080)),
            ("http://[::1]", Some(80)),
            ("https://a@b", None),
            ("ldap://a", None),
            ("https://", None),
        ] {
            assert_eq!(port(url), expected, "{url}");
        }
    }
}

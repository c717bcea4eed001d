//! Temporary credentials, and the secrets of access keys.

use md5::{Digest, Md5};

use super::config::Config;
use crate::encoding::hex;
use crate::ids::Ids;
use crate::s3_error::StoreError;
use crate::sigv4::Credentials;

/// Temporary credentials, as AWS STS issues them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCredentials {
    /// The keys.
    pub credentials: Credentials,
    /// When they expire, in milliseconds since the epoch.
    pub expiration: u64,
}

/// The temporary credentials that were issued.
#[derive(Clone, Debug, Default)]
pub(super) struct CredentialStore(Vec<IssuedCredentials>);

impl CredentialStore {
    /// Issues temporary credentials.
    pub(super) fn issue(&mut self, ids: &mut Ids, lifetime_ms: u64, now: u64) -> IssuedCredentials {
        let access = format!("ASIA{}", &ids.token().to_uppercase()[..16]);
        let secret = format!("{}{}", ids.token(), &ids.token()[..8]);
        let mut token = Md5::new();
        token.update(secret.as_bytes());
        // Real tokens are base64, whose + / = must survive in a query.
        let token = format!("Fwo+/{}==", hex(&token.finalize()));
        let issued = IssuedCredentials {
            credentials: Credentials { access_key: access, secret_key: secret, session_token: Some(token) },
            expiration: now + lifetime_ms,
        };
        self.0.push(issued.clone());
        issued
    }

    /// The secret of an access key: the owner's, or an issued one.
    pub(super) fn authorize(
        &self,
        config: &Config,
        access_key: &str,
        session_token: Option<&str>,
        now: u64,
    ) -> Result<String, StoreError> {
        let unknown = || {
            StoreError::new(
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            )
            .with("AWSAccessKeyId", access_key)
        };
        let invalid_token =
            || StoreError::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
        if access_key == config.access_key {
            return match session_token {
                None => Ok(config.secret_key.clone()),
                Some(_) => Err(invalid_token()),
            };
        }
        let mut issued = self.0.iter();
        let found = issued.find(|issued| issued.credentials.access_key == access_key).ok_or_else(unknown)?;
        // Without its session token, AWS doesn't know a temporary key.
        let token = session_token.ok_or_else(unknown)?;
        if found.credentials.session_token.as_deref() != Some(token) {
            return Err(invalid_token());
        }
        if now >= found.expiration {
            return Err(StoreError::new(400, "ExpiredToken", "The provided token has expired."));
        }
        Ok(found.credentials.secret_key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::State;
    use super::*;

    #[test]
    fn keys_tokens_and_time_are_checked() {
        let mut state = State::new(Config::default());
        let issued = state.issue_credentials(1_000, 5_000);
        let other = state.issue_credentials(1_000, 5_000);
        assert_ne!(issued, other);
        let (c, o) = (issued.credentials, other.credentials);
        let owner = state.config.access_key.clone();
        let code = |key: &str, token: Option<&str>, now| {
            let outcome = state.authorize(key, token, now);
            outcome.map_err(|error| (error.status, error.code))
        };
        let (token, other_token) = (c.session_token.as_deref(), o.session_token.as_deref());
        assert_eq!(code(&owner, None, 0), Ok(state.config.secret_key.clone()));
        assert_eq!(code(&c.access_key, token, 5_999), Ok(c.secret_key.clone()));
        assert_eq!(code(&c.access_key, token, 6_000), Err((400, "ExpiredToken")));
        assert_eq!(code(&c.access_key, None, 5_000), Err((403, "InvalidAccessKeyId")));
        assert_eq!(code(&c.access_key, other_token, 5_000), Err((400, "InvalidToken")));
        assert_eq!(code(&owner, token, 5_000), Err((400, "InvalidToken")));
        assert_eq!(code("AKIAUNKNOWN", None, 0), Err((403, "InvalidAccessKeyId")));
    }
}

//! The settings that `POST /control/vendors` changes, and their initial values.

use partway_models::settings::overlay;
use partway_models::{apifansly, form, ofauth, onlymonster, store};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::plans;

/// How long vendors process an upload. (A choice: a trial shouldn't wait long.)
const PROCESSING_MS: u64 = 1000;

/// Fields that pages never get: keys, and what identifiers are derived from.
const HIDDEN: [&str; 7] = ["apiKey", "token", "seed", "basePath", "connections", "accounts", "otherAccounts"];

/// The fields of the store that pages may get and change: neither addresses nor keys.
const STORE: [&str; 7] =
    ["minPartSize", "equalParts", "opaqueEtags", "encryption", "wrongEtags", "checksums", "conflicts"];

/// Settings of the credentials endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Credentials {
    /// How long temporary credentials are valid.
    pub lifetime_seconds: u64,
}

/// All settings together.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// OFAuth.
    pub ofauth: ofauth::Config,
    /// Onlymonster.
    pub onlymonster: onlymonster::Config,
    /// apifansly.
    pub apifansly: apifansly::Config,
    /// The application's own server that takes forms.
    pub form: form::Config,
    /// The embedded store.
    pub store: store::Config,
    /// The plan backend.
    pub plan: plans::Config,
    /// The credentials endpoint.
    pub credentials: Credentials,
}

impl Settings {
    /// The initial settings: short processing, a generous rate for OFAuth (60 a minute are published), and
    /// Onlymonster's published 3 a second.
    pub(crate) fn new(endpoint: &str, seed: u64) -> Self {
        Self {
            ofauth: ofauth::Config { rate_per_minute: 60_000, burst: 10_000, seed, ..Default::default() },
            onlymonster: onlymonster::Config { processing_ms: PROCESSING_MS, seed, ..Default::default() },
            apifansly: apifansly::Config { processing_ms: PROCESSING_MS, seed, ..Default::default() },
            form: form::Config {
                processing_ms: PROCESSING_MS,
                base_path: "/api/form".into(),
                seed,
                ..Default::default()
            },
            store: store::Config {
                endpoint: endpoint.to_owned(),
                secret_key: format!("sandbox-{seed:016x}-owner"),
                seed,
                ..Default::default()
            },
            plan: plans::Config::default(),
            credentials: Credentials { lifetime_seconds: 3600 },
        }
    }

    /// A copy with all of the changes.
    ///
    /// # Errors
    /// The message names the invalid field or value.
    pub(crate) fn with_changes(&self, changes: &Value) -> Result<Self, String> {
        let Value::Object(changes) = changes else {
            return Err("settings must be a JSON object".into());
        };
        let mut changed = self.clone();
        for (service, changes) in changes {
            let result = match service.as_str() {
                "ofauth" => overlay(&changed.ofauth, changes).map(|config| changed.ofauth = config),
                "onlymonster" => overlay(&changed.onlymonster, changes).map(|config| changed.onlymonster = config),
                "apifansly" => overlay(&changed.apifansly, changes).map(|config| changed.apifansly = config),
                "form" => overlay(&changed.form, changes).map(|config| changed.form = config),
                "store" => check_store_fields(changes)
                    .and_then(|()| overlay(&changed.store, changes))
                    .map(|config| changed.store = config),
                "plan" => overlay(&changed.plan, changes).map(|config| changed.plan = config),
                "credentials" => overlay(&changed.credentials, changes).map(|config| changed.credentials = config),
                _ => Err(
                    "unknown service, expected one of ofauth, onlymonster, apifansly, form, store, plan, credentials"
                        .into(),
                ),
            };
            result.map_err(|message| format!("{service}: {message}"))?;
        }
        if changed.plan.part_size == 0 || changed.ofauth.part_size == 0 {
            return Err("partSize must be at least 1".into());
        }
        Ok(changed)
    }

    /// The fields that a page may see.
    pub(crate) fn public(&self) -> Value {
        let fields_of = |config: Option<Value>, keep: &dyn Fn(&str) -> bool| match config {
            Some(Value::Object(fields)) => {
                Value::Object(fields.into_iter().filter(|(name, _)| keep(name)).collect::<Map<_, _>>())
            }
            _ => Value::Null,
        };
        let open = |name: &str| !HIDDEN.contains(&name);
        serde_json::json!({
            "ofauth": fields_of(serde_json::to_value(&self.ofauth).ok(), &open),
            "onlymonster": fields_of(serde_json::to_value(&self.onlymonster).ok(), &open),
            "apifansly": fields_of(serde_json::to_value(&self.apifansly).ok(), &open),
            "form": fields_of(serde_json::to_value(&self.form).ok(), &open),
            "store": fields_of(serde_json::to_value(&self.store).ok(), &|name| STORE.contains(&name)),
            "plan": self.plan,
            "credentials": self.credentials,
        })
    }
}

fn check_store_fields(changes: &Value) -> Result<(), String> {
    let names = changes.as_object().into_iter().flat_map(Map::keys);
    match names.into_iter().find(|name| !STORE.contains(&name.as_str())) {
        Some(name) => Err(format!("unknown field `{name}`, expected one of {}", STORE.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_change_one_by_one_and_invalid_ones_change_nothing() {
        let settings = Settings::new("http://s", 1);
        let changes = json!({ "onlymonster": { "stuckIn": "uploaded" }, "ofauth": { "layout": "headers" } });
        let changed = settings.with_changes(&changes).unwrap();
        assert_eq!(changed.onlymonster.stuck_in, Some(onlymonster::Stage::Uploaded));
        assert_eq!((changed.ofauth.layout, changed.ofauth.burst), (ofauth::Layout::Headers, 10_000));
        for wrong in [
            json!([]),
            json!({ "ofauth": { "partsize": 1 } }),
            json!({ "fansly": {} }),
            json!({ "store": { "secretKey": "x" } }),
            json!({ "plan": { "partSize": 0 } }),
        ] {
            assert!(settings.with_changes(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_key_is_public() {
        let settings = Settings::new("http://s", 77);
        let public = settings.public().to_string();
        let secrets = [
            &settings.ofauth.api_key,
            &settings.onlymonster.token,
            &settings.apifansly.api_key,
            &settings.form.key,
            &settings.store.secret_key,
        ];
        for secret in secrets {
            assert!(!secret.is_empty() && !public.contains(secret.as_str()), "{secret}");
        }
        assert!(public.contains("processingMs") && public.contains("equalParts"));
    }
}

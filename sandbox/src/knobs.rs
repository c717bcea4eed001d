//! Everything that `POST /control/vendors` turns, and what it is set to at the start.

use partway_models::knobs::overlay;
use partway_models::{apifansly, ofauth, onlymonster, store};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::plan;

/// A trial shouldn't wait long for what a vendor does in the background.
const PROCESSING_MS: u64 = 1000;

/// Names that are never shown to a page: keys, and what identifiers follow from.
const HIDDEN: [&str; 6] = ["apiKey", "token", "seed", "connections", "accounts", "otherAccounts"];

/// Knobs of the store that don't say where it is or who may enter.
const STORE: [&str; 6] = ["minPartSize", "equalParts", "opaqueEtags", "encryption", "wrongEtags", "conflicts"];

/// What the credentials endpoint can be told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Credentials {
    /// How long temporary credentials live.
    pub lifetime_seconds: u64,
}

/// All settings together.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    /// OFAuth.
    pub ofauth: ofauth::Config,
    /// Onlymonster.
    pub onlymonster: onlymonster::Config,
    /// apifansly.
    pub apifansly: apifansly::Config,
    /// The embedded store.
    pub store: store::Config,
    /// The plan backend.
    pub plan: plan::Config,
    /// The credentials endpoint.
    pub credentials: Credentials,
}

impl Knobs {
    /// Short processing, a generous rate for OFAuth (60 a minute are published), Onlymonster's own 3 a second.
    pub(crate) fn new(endpoint: &str, seed: u64) -> Self {
        Self {
            ofauth: ofauth::Config { rate_per_minute: 60_000, burst: 10_000, seed, ..Default::default() },
            onlymonster: onlymonster::Config { processing_ms: PROCESSING_MS, seed, ..Default::default() },
            apifansly: apifansly::Config { processing_ms: PROCESSING_MS, seed, ..Default::default() },
            store: store::Config {
                endpoint: endpoint.to_owned(),
                secret_key: format!("sandbox-{seed:016x}-owner"),
                seed,
                ..Default::default()
            },
            plan: plan::Config::default(),
            credentials: Credentials { lifetime_seconds: 3600 },
        }
    }

    /// With some of them turned, all or none.
    ///
    /// # Errors
    /// Says which name or value can't be meant.
    pub(crate) fn turned(&self, changes: &Value) -> Result<Self, String> {
        let Value::Object(changes) = changes else {
            return Err("knobs are a JSON object".into());
        };
        let mut turned = self.clone();
        for (who, changes) in changes {
            let result = match who.as_str() {
                "ofauth" => overlay(&turned.ofauth, changes).map(|config| turned.ofauth = config),
                "onlymonster" => overlay(&turned.onlymonster, changes).map(|config| turned.onlymonster = config),
                "apifansly" => overlay(&turned.apifansly, changes).map(|config| turned.apifansly = config),
                "store" => only_known(changes)
                    .and_then(|()| overlay(&turned.store, changes))
                    .map(|config| turned.store = config),
                "plan" => overlay(&turned.plan, changes).map(|config| turned.plan = config),
                "credentials" => overlay(&turned.credentials, changes).map(|config| turned.credentials = config),
                _ => {
                    let there_are = "ofauth, onlymonster, apifansly, store, plan and credentials";
                    Err(format!("there are {there_are}"))
                }
            };
            result.map_err(|message| format!("{who}: {message}"))?;
        }
        if turned.plan.part_size == 0 || turned.ofauth.part_size == 0 {
            return Err("partSize: at least 1".into());
        }
        Ok(turned)
    }

    /// What a page may see.
    pub(crate) fn shown(&self) -> Value {
        let shown = |config: Option<Value>, keep: &dyn Fn(&str) -> bool| match config {
            Some(Value::Object(fields)) => {
                Value::Object(fields.into_iter().filter(|(name, _)| keep(name)).collect::<Map<_, _>>())
            }
            _ => Value::Null,
        };
        let open = |name: &str| !HIDDEN.contains(&name);
        serde_json::json!({
            "ofauth": shown(serde_json::to_value(&self.ofauth).ok(), &open),
            "onlymonster": shown(serde_json::to_value(&self.onlymonster).ok(), &open),
            "apifansly": shown(serde_json::to_value(&self.apifansly).ok(), &open),
            "store": shown(serde_json::to_value(&self.store).ok(), &|name| STORE.contains(&name)),
            "plan": self.plan,
            "credentials": self.credentials,
        })
    }
}

fn only_known(changes: &Value) -> Result<(), String> {
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
    fn knobs_turn_one_by_one_and_wrong_ones_turn_nothing() {
        let knobs = Knobs::new("http://s", 1);
        let changes = json!({ "onlymonster": { "stuckIn": "uploaded" }, "ofauth": { "layout": "headers" } });
        let turned = knobs.turned(&changes).unwrap();
        assert_eq!(turned.onlymonster.stuck_in, Some(onlymonster::Stage::Uploaded));
        assert_eq!((turned.ofauth.layout, turned.ofauth.burst), (ofauth::Layout::Headers, 10_000));
        for wrong in [
            json!([]),
            json!({ "ofauth": { "partsize": 1 } }),
            json!({ "fansly": {} }),
            json!({ "store": { "secretKey": "x" } }),
            json!({ "plan": { "partSize": 0 } }),
        ] {
            assert!(knobs.turned(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_key_is_shown() {
        let knobs = Knobs::new("http://s", 77);
        let shown = knobs.shown().to_string();
        let secrets =
            [&knobs.ofauth.api_key, &knobs.onlymonster.token, &knobs.apifansly.api_key, &knobs.store.secret_key];
        for secret in secrets {
            assert!(!secret.is_empty() && !shown.contains(secret.as_str()), "{secret}");
        }
        assert!(shown.contains("processingMs") && shown.contains("equalParts"));
    }
}

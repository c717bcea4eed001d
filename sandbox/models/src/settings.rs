//! Changes of some fields of a model's `Config` by JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A copy of `config` in which the fields of `changes` (camel case, as in JSON) replace its own.
///
/// # Errors
/// A field is unknown or has the wrong type; the message names it.
///
/// ```
/// use partway_models::{apifansly::Config, settings};
/// let changes = serde_json::json!({ "processingMs": 50, "end": "failed" });
/// let config = settings::overlay(&Config::default(), &changes).unwrap();
/// assert_eq!(config.processing_ms, 50);
/// assert!(settings::overlay(&config, &serde_json::json!({ "procesingMs": 1 })).is_err());
/// ```
pub fn overlay<T: Serialize + DeserializeOwned>(config: &T, changes: &Value) -> Result<T, String> {
    let Value::Object(changes) = changes else {
        return Err("settings must be a JSON object".to_string());
    };
    let mut merged = serde_json::to_value(config).map_err(|error| error.to_string())?;
    for (name, value) in changes {
        merged[name] = value.clone();
    }
    serde_json::from_value(merged).map_err(|error| error.to_string())
}

//! Changing some fields of a model's `Config` by JSON, as the sandbox's control API does.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The configuration with the fields of `changes` (camel case, as in JSON) in place of its own.
/// An unknown name or a wrong type is an error that says which, and nothing changes.
///
/// ```
/// use partway_models::{apifansly::Config, knobs};
/// let changes = serde_json::json!({ "processingMs": 50, "end": "failed" });
/// let config = knobs::overlay(&Config::default(), &changes).unwrap();
/// assert_eq!(config.processing_ms, 50);
/// assert!(knobs::overlay(&config, &serde_json::json!({ "procesingMs": 1 })).is_err());
/// ```
pub fn overlay<T: Serialize + DeserializeOwned>(config: &T, changes: &Value) -> Result<T, String> {
    let Value::Object(changes) = changes else {
        return Err("knobs are a JSON object".to_string());
    };
    let mut merged = serde_json::to_value(config).map_err(|error| error.to_string())?;
    for (name, value) in changes {
        merged[name] = value.clone();
    }
    serde_json::from_value(merged).map_err(|error| error.to_string())
}

//! Reading JSON objects strictly.

use serde_json::{Map, Value};

use crate::wire::Request;

/// The fields of a JSON object, taken one by one. A field that is left over at the end is an error.
pub(crate) struct Fields {
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of a request's body, whose content type must be JSON.
    fn of(request: &Request) -> Result<Self, String> {
        let media_type = request.media_type();
        if media_type != "application/json" {
            return Err(format!("Content-Type must be application/json, not {media_type:?}"));
        }
        let text = request.body.to_text().ok_or("the body must be JSON, not a form or a file")?;
        let value = serde_json::from_slice(&text).map_err(|error| format!("the body is not JSON: {error}"))?;
        Fields::in_value(value, "the body")
    }

    /// Reads the JSON body of a request with `read`. A field that `read` doesn't take is an error.
    pub(crate) fn read<T>(request: &Request, read: impl FnOnce(&mut Fields) -> Result<T, String>) -> Result<T, String> {
        let mut fields = Fields::of(request)?;
        let value = read(&mut fields)?;
        fields.done()?;
        Ok(value)
    }

    /// The fields of a value, which errors call `what`.
    pub(crate) fn in_value(value: Value, what: &str) -> Result<Self, String> {
        match value {
            Value::Object(map) => Ok(Fields { map }),
            _ => Err(format!("{what} must be an object")),
        }
    }

    /// The value of a field, whatever its type.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name)
    }

    /// A string of at least one character.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, String> {
        match self.take(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(_) => Err(format!("{name} must be a string with at least 1 character")),
            None => Err(format!("{name} is required")),
        }
    }

    /// A string of at least one character, or `None` if the field is absent or null.
    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.map.get(name) {
            None | Some(Value::Null) => {
                self.take(name);
                Ok(None)
            }
            Some(_) => self.text(name).map(Some),
        }
    }

    /// An integer greater than 0.
    pub(crate) fn positive(&mut self, name: &str) -> Result<u64, String> {
        let value = self.take(name).ok_or(format!("{name} is required"))?;
        let number = value.as_u64().filter(|number| *number > 0);
        number.ok_or(format!("{name} must be an integer greater than 0"))
    }

    /// Checks that no field is left over.
    pub(crate) fn done(self) -> Result<(), String> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("unknown field {name}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::in_value(serde_json::from_str(text).unwrap(), "it").unwrap()
    }

    #[test]
    fn kinds_are_checked() {
        assert_eq!(fields(r#"{"a":"x"}"#).text("a"), Ok("x".to_string()));
        for wrong in [r#"{"a":""}"#, r#"{"a":1}"#, r#"{"a":null}"#, "{}"] {
            assert!(fields(wrong).text("a").is_err(), "{wrong}");
        }
        assert_eq!(fields(r#"{"a":null}"#).optional_text("a"), Ok(None));
        assert!(fields(r#"{"a":""}"#).optional_text("a").is_err());
        assert_eq!(fields(r#"{"a":7}"#).positive("a"), Ok(7));
        for wrong in [r#"{"a":0}"#, r#"{"a":-1}"#, r#"{"a":1.5}"#, r#"{"a":"1"}"#] {
            assert!(fields(wrong).positive("a").is_err(), "{wrong}");
        }
    }

    #[test]
    fn leftovers_and_other_media_types_are_errors() {
        let mut two = fields(r#"{"a":"x","b":1}"#);
        two.text("a").unwrap();
        assert!(two.done().unwrap_err().contains('b'));
        let json = Request::new("POST", "/").with_json(&serde_json::json!({}));
        assert!(Fields::of(&json).is_ok());
        assert!(Fields::of(&json.with_header("content-type", "text/plain")).is_err());
        let list = Request::new("POST", "/").with_json(&serde_json::json!([]));
        assert!(Fields::of(&list).is_err());
    }
}

//! JSON natively, for tests and the simulation: `serde_json`, with the numbers that JavaScript has.

use serde_json::{Number, Value};

use super::{Json, JsonBuilder, Kind};

impl Json for Value {
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(as_javascript)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn build(value: &JsonBuilder<'_>) -> Self {
        serde_json::to_value(value).unwrap_or(Value::Null)
    }

    fn kind(&self) -> Kind<Self> {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(value) => Kind::Number(value.as_f64().unwrap_or(f64::NAN)),
            Value::String(value) => Kind::String(value.clone()),
            Value::Array(items) => Kind::List(items.clone()),
            Value::Object(_) => Kind::Object,
        }
    }

    fn names(&self) -> Vec<String> {
        self.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
    }

    fn member(&self, name: &str) -> Option<Self> {
        self.as_object()?.get(name).filter(|member| !member.is_null()).cloned()
    }

    fn with(mut self, name: &str, member: Self) -> Self {
        if let Some(members) = self.as_object_mut() {
            members.insert(name.into(), member);
        }
        self
    }
}

/// Rounds a number as JavaScript does, whose numbers are exact up to 2^53.
fn as_javascript(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(as_double(&number)),
        Value::Array(items) => Value::Array(items.into_iter().map(as_javascript).collect()),
        Value::Object(members) => members.into_iter().map(|(name, member)| (name, as_javascript(member))).collect(),
        other => other,
    }
}

fn as_double(number: &Number) -> Number {
    const SAFE: f64 = 9_007_199_254_740_992.0;
    let Some(double) = number.as_f64() else { return number.clone() };
    if double.fract() == 0.0 && double.abs() <= SAFE {
        return Number::from(double as i64);
    }
    Number::from_f64(double).unwrap_or_else(|| number.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_javascripts() {
        let read = |text: &str| Value::parse(text).unwrap().to_string();
        assert_eq!(read("[12, 12.0, 1.5, -3]"), "[12,12,1.5,-3]");
        assert_eq!(read("874740000000000001"), "8.7474e+17");
    }
}

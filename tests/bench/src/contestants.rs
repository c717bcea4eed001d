//! Who is measured.

use serde_json::{Value, json};

/// One of those who send the same files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contestant {
    /// As the command line and the report's data call it.
    pub(crate) name: &'static str,
    /// As the table calls it.
    pub(crate) title: &'static str,
    /// The script that it is.
    pub(crate) script: &'static str,
    /// What else its script is told.
    settings: fn() -> Value,
}

/// Everybody else's time is a ratio to this one's.
pub(crate) const PLAIN: &str = "plain";

const OTHERS: fn() -> Value = || json!({});

/// Everybody.
pub(crate) const ALL: &[Contestant] = &[
    Contestant { name: PLAIN, title: "plain pool of `fetch` PUTs", script: "plain", settings: OTHERS },
    Contestant {
        name: "plain-hashing",
        title: "plain pool, MD5 by hash-wasm in a worker",
        script: "plain-hashing",
        settings: OTHERS,
    },
    partway("partway", "Partway as it comes", || json!({ "options": {} })),
    partway("partway-group", "Partway, as one group", || json!({ "group": true })),
    partway("partway-unchecked", "Partway, integrity off", || json!({ "options": { "integrity": "off" } })),
    partway("partway-unkept", "Partway, resume off", || json!({ "options": { "resume": false } })),
    partway(
        "partway-bare",
        "Partway, integrity and resume off",
        || json!({ "options": { "integrity": "off", "resume": false } }),
    ),
    partway(
        "partway-s3",
        "Partway, `s3` as it comes",
        || json!({ "provider": "s3", "partSize": null, "concurrency": null }),
    ),
    partway(
        "partway-s3-bare",
        "Partway, `s3`, integrity and resume off",
        || json!({ "provider": "s3", "partSize": null, "concurrency": null, "options": { "integrity": "off", "resume": false } }),
    ),
    Contestant {
        name: "plain-one",
        title: "plain pool, one host",
        script: "plain",
        settings: || json!({ "oneHost": true }),
    },
    partway("partway-one", "Partway as it comes, one host", || json!({ "oneHost": true })),
    partway("partway-auto", "Partway as it comes, slots by itself", || json!({ "concurrency": null })),
    Contestant { name: "uppy-5", title: "Uppy 5", script: "uppy-5", settings: OTHERS },
    Contestant { name: "uppy-6", title: "Uppy 6", script: "uppy-6", settings: OTHERS },
    Contestant { name: "tus", title: "tus-js-client", script: "tus", settings: OTHERS },
    Contestant { name: "lib-storage", title: "@aws-sdk/lib-storage", script: "lib-storage", settings: OTHERS },
    Contestant { name: "evaporate", title: "Evaporate", script: "evaporate", settings: OTHERS },
];

const fn partway(name: &'static str, title: &'static str, settings: fn() -> Value) -> Contestant {
    Contestant { name, title, script: "partway", settings }
}

impl Contestant {
    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|one| one.name == name)
    }

    /// What its script is told, in addition to what all are told.
    pub(crate) fn settings(&self, common: &Value) -> Value {
        let mut settings = common.clone();
        if let (Value::Object(settings), Value::Object(own)) = (&mut settings, (self.settings)()) {
            settings.extend(own);
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let mut names: Vec<_> = ALL.iter().map(|one| one.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn what_one_is_told_replaces_what_all_are_told() {
        let told = Contestant::named("partway-s3").expect("there").settings(&json!({ "partSize": 5, "hosts": ["a"] }));
        assert_eq!(told["partSize"], Value::Null);
        assert_eq!(told["hosts"], json!(["a"]));
    }
}

//! The providers as one table, so that a suite runs each of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use partway_simulation::servers::STORE;
use serde_json::{Value, json};

/// One provider, as a suite needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    pub(crate) name: &'static str,
    /// The call that opens an upload in parts.
    pub(crate) init: Option<&'static str>,
    /// The call that sends a part.
    pub(crate) part: &'static str,
    /// The call that sends a small file whole.
    pub(crate) single: &'static str,
    /// The call that ends an upload in parts.
    pub(crate) complete: Option<&'static str>,
    /// The call that asks how far processing is.
    pub(crate) status: Option<&'static str>,
    /// A size that is sent in several parts.
    pub(crate) large: u64,
    /// Whether a part's ETag must be read from a header.
    pub(crate) needs_etag: bool,
    /// Whether the file is sent in a form, whose progress any transport reports.
    pub(crate) is_form: bool,
    /// Calls that may be repeated after their answer was lost, beside those to a store.
    pub(crate) repeatable: &'static [&'static str],
}

pub(crate) const MIB: u64 = 1 << 20;

pub(crate) const DIALECTS: [Dialect; 6] = [
    Dialect {
        name: "ofauth",
        init: Some("ofauth:init"),
        part: "ofauth:part",
        single: "ofauth:single",
        complete: Some("ofauth:complete"),
        status: None,
        large: 42 * MIB + 17,
        needs_etag: false,
        is_form: false,
        repeatable: &["ofauth:init", "ofauth:part"],
    },
    Dialect {
        name: "onlymonster",
        init: Some("onlymonster:start"),
        part: "store:UploadPart",
        single: "store:PutObject",
        complete: Some("onlymonster:finish"),
        status: Some("onlymonster:list"),
        large: 70 * MIB + 17,
        needs_etag: true,
        is_form: false,
        repeatable: &["onlymonster:start"],
    },
    Dialect {
        name: "apifansly",
        init: None,
        part: "apifansly:upload",
        single: "apifansly:upload",
        complete: None,
        status: Some("apifansly:status"),
        large: 42 * MIB + 17,
        needs_etag: false,
        is_form: true,
        repeatable: &[],
    },
    Dialect {
        name: "s3",
        init: Some("store:CreateMultipartUpload"),
        part: "store:UploadPart",
        single: "store:PutObject",
        complete: Some("store:CompleteMultipartUpload"),
        status: None,
        large: 70 * MIB + 17,
        needs_etag: true,
        is_form: false,
        repeatable: &[],
    },
    Dialect {
        name: "plan",
        init: Some("plan:open"),
        part: "store:UploadPart",
        single: "store:PutObject",
        complete: Some("plan:complete"),
        status: None,
        large: 42 * MIB + 17,
        needs_etag: true,
        is_form: false,
        repeatable: &[],
    },
    Dialect {
        name: "form",
        init: None,
        part: "form:upload",
        single: "form:upload",
        complete: None,
        status: Some("form:status"),
        large: 42 * MIB + 17,
        needs_etag: false,
        is_form: true,
        repeatable: &[],
    },
];

impl Dialect {
    /// The provider's options; `key` names the object where the caller names it.
    pub(crate) fn provider_for(&self, key: &str) -> Value {
        match self.name {
            "ofauth" => json!({ "name": "ofauth", "baseUrl": "/api/ofauth" }),
            "onlymonster" => {
                json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" })
            }
            "apifansly" => json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002" }),
            "s3" => json!({
                "name": "s3", "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true, "key": key,
                "partSize": 8 * MIB,
            }),
            "plan" => json!({ "name": "plan" }),
            "form" => json!({ "name": "form", "url": "/api/form/upload", "parse": "job" }),
            other => panic!("{other} has no options here"),
        }
    }

    /// The same for one upload.
    pub(crate) fn provider(&self) -> Value {
        self.provider_for("uploads/a key.mp4")
    }

    /// Whether the file is sent in several requests.
    pub(crate) fn has_parts(&self) -> bool {
        self.part != self.single
    }
}

/// Runs a test for every provider, and names those that failed.
#[track_caller]
pub(crate) fn each(test: impl Fn(&Dialect)) {
    of(|_| true, test);
}

/// The same for some providers.
#[track_caller]
pub(crate) fn of(wanted: impl Fn(&Dialect) -> bool, test: impl Fn(&Dialect)) {
    let run = |dialect: &&Dialect| catch_unwind(AssertUnwindSafe(|| test(dialect))).is_err();
    let failed: Vec<_> = DIALECTS.iter().filter(|dialect| wanted(dialect)).filter(run).map(|d| d.name).collect();
    assert!(failed.is_empty(), "failed for {}", failed.join(", "));
}

//! The plans that the plan backend has opened, and its settings.

use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// Settings of the plan backend, changed by `POST /control/vendors`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    /// Size of all parts but the last.
    pub part_size: u64,
    /// How long a URL is valid.
    pub expires_seconds: u64,
    /// How many URLs come with the plan.
    pub first_batch: usize,
    /// How many URLs are signed in one call at most.
    pub largest_batch: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { part_size: 8 << 20, expires_seconds: 900, first_batch: 4, largest_batch: 100 }
    }
}

/// A plan that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The object's key.
    pub key: String,
    /// The file's size.
    pub size: u64,
    /// Size of all parts but the last.
    pub part_size: u64,
    /// The parts that the plan was completed with, and the response to that call.
    pub completed: Option<(Vec<(u32, String)>, serde_json::Value)>,
}

impl Plan {
    /// How many parts the plan has.
    pub(crate) fn parts(&self) -> u32 {
        u32::try_from(self.size.div_ceil(self.part_size)).unwrap_or(u32::MAX)
    }

    /// The first and the last byte of a part, both inclusive.
    pub(crate) fn range(&self, part: u32) -> (u64, u64) {
        let start = u64::from(part - 1) * self.part_size;
        (start, (start + self.part_size).min(self.size) - 1)
    }
}

/// All plans, by upload id.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<HashMap<String, Plan>>);

impl Plans {
    /// Removes all plans.
    pub(crate) fn clear(&self) {
        self.0.lock().expect("plans").clear();
    }

    /// The plan with this upload id and key.
    pub(crate) fn find(&self, upload_id: &str, key: &str) -> Option<Plan> {
        let plan = self.0.lock().expect("plans").get(upload_id).cloned();
        plan.filter(|plan| plan.key == key)
    }

    /// Adds a plan.
    pub(crate) fn insert(&self, upload_id: String, plan: Plan) {
        self.0.lock().expect("plans").insert(upload_id, plan);
    }

    /// Records what a plan was completed with, and the response.
    pub(crate) fn set_completed(&self, upload_id: &str, parts: Vec<(u32, String)>, response: serde_json::Value) {
        if let Some(plan) = self.0.lock().expect("plans").get_mut(upload_id) {
            plan.completed = Some((parts, response));
        }
    }
}

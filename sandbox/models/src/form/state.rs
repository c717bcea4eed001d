//! What the model remembers.

use super::config::Config;
use crate::content::Content;

/// A form that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The fields before the file.
    pub fields: Vec<(String, String)>,
    /// The file's name.
    pub name: String,
    /// The file's content type.
    pub kind: Option<String>,
    /// The file.
    pub content: Content,
    /// When it came, in milliseconds since the epoch.
    pub queued_at: u64,
}

/// The state of the model.
#[derive(Clone, Debug)]
pub struct State {
    /// The settings; they may change at any time.
    pub config: Config,
    forms: Vec<Taken>,
}

impl State {
    /// A state without files.
    pub fn new(config: Config) -> Self {
        State { config, forms: Vec::new() }
    }

    /// The form behind an id.
    pub fn taken(&self, id: &str) -> Option<&Taken> {
        let index = id.parse::<u64>().ok()?.checked_sub(self.config.seed + 1)?;
        self.forms.get(usize::try_from(index).ok()?)
    }

    /// The file behind an id.
    pub fn contents(&self, id: &str) -> Option<Vec<Content>> {
        Some(vec![self.taken(id)?.content.clone()])
    }

    /// All files, in their order.
    pub fn entries(&self) -> Vec<&Content> {
        self.forms.iter().map(|taken| &taken.content).collect()
    }

    /// How many forms were taken.
    pub fn forms_taken(&self) -> usize {
        self.forms.len()
    }

    /// Takes a form, and gives its id.
    pub(super) fn take(&mut self, taken: Taken) -> String {
        self.forms.push(taken);
        (self.config.seed + self.forms.len() as u64).to_string()
    }
}

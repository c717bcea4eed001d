//! The three engines.

use anyhow::{Context, Result};

/// A browser engine, by the browser that has it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium.
    Chromium,
    /// Firefox.
    Firefox,
    /// WebKitGTK's test browser.
    WebKit,
}

impl Engine {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// As the command line and the data file call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// Whether a page learns, when a connection is lost, if the whole body had been sent. Gecko reports progress every 50 ms,
    /// and the whole body with the answer.
    pub fn tells_what_went_out(self) -> bool {
        self != Self::Firefox
    }

    /// The engine of this name.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|engine| engine.name() == name)
            .with_context(|| format!("no engine is called {name:?}: there are chromium, firefox and webkit"))
    }
}

//! Real browsers, driven over WebDriver: what the end-to-end tests and the bench both stand on.

pub mod browser;
pub mod process;

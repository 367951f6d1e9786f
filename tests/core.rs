//! Does the pure core do what it promises? Stories, the restarted twin, recordings, and the house rules.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, too

#[path = "core/always_never.rs"]
mod always_never;
#[path = "core/property.rs"]
mod property;
#[path = "core/recording.rs"]
mod recording;
#[path = "core/rules.rs"]
mod rules;
#[path = "core/stories.rs"]
mod stories;
#[path = "core/tidy.rs"]
mod tidy;
#[path = "core/twin.rs"]
mod twin;

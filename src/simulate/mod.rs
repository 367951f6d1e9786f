//! What would a real hotel do? For the demo and the tests only, never part of the packaged daemon.

pub mod broker;

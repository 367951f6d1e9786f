//! What does it mean, and what should be done?

//! How do bytes come from and go to this property's devices?
//!
//! One module a transport. None of them knows what a byte means: that is `profile`'s affair.

pub mod modbus;
pub mod poll_plan;

//! What exactly is wrong with this TOML text, and where?
//!
//! Device profiles and the property's configuration are written by engineers, by hand. Both are read here: the text is
//! held against the JSON schema of the type it is meant for, and every fault is found at once, each with its line, its
//! column, what is wrong and what to write instead. Nothing is guessed and no unknown key is passed over.
//!
//! ```
//! # use innkeeper::strict;
//! #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Room { floor: u8 }
//!
//! let faults = strict::read::<Room>("room.toml", "flor = 3").unwrap_err();
//! assert_eq!(faults[0].to_string(), r#"room.toml:1:1: missing key "floor"; write floor = a whole number"#);
//! assert_eq!(faults[1].to_string(), r#"room.toml:1:1: unknown key "flor"; did you mean "floor"?"#);
//! ```

mod length;
mod near;
mod schema;
mod tree;

pub use length::Length;
pub use near::{did_you_mean, nearest};
pub use tree::{Entry, Kind, Node, Tree};

use serde::de::DeserializeOwned;
use std::fmt;

/// The longest text that is read: a hotel of 2,000 rooms, one table each, fills a quarter of it.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// The most faults told of one file; the first hundred are enough to see what is wrong with it.
pub const FAULTS_MAX: usize = 100;

/// One fault in a file, told so that it can be mended: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead; may be empty.
    pub help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        if self.help.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.help)
        }
    }
}

impl std::error::Error for Fault {}

/// Holds a text against a schema.
///
/// # Errors
/// Every fault found, in the order of the file, [`FAULTS_MAX`] at most.
pub fn check(file: &str, text: &str, schema: &schemars::Schema) -> Result<Tree, Vec<Fault>> {
    let tree = Tree::parse(file, text)?;
    let faults = schema::faults(&tree, schema.as_value());
    if faults.is_empty() {
        Ok(tree)
    } else {
        Err(in_order(faults))
    }
}

/// Reads a text as a type: held against the type's own schema first, then taken over.
///
/// # Errors
/// Every fault found, in the order of the file, [`FAULTS_MAX`] at most.
pub fn read<T: DeserializeOwned + schemars::JsonSchema>(file: &str, text: &str) -> Result<(T, Tree), Vec<Fault>> {
    let tree = check(file, text, &schemars::schema_for!(T))?;
    let taken = tree.take::<T>().map_err(|fault| vec![fault])?;
    Ok((taken, tree))
}

/// Puts faults in the order of the file, drops repetitions, and cuts the list.
pub fn in_order(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by(|a, b| (a.line, a.column, &a.message).cmp(&(b.line, b.column, &b.message)));
    faults.dedup();
    faults.truncate(FAULTS_MAX);
    faults
}

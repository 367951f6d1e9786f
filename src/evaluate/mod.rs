//! How right is the inference, on anybody's data?
//!
//! Each question runs the real engine's code over a file and compares the answers with the truth in it. The truth is
//! optional everywhere and never reaches the engine: without it the answers are written and the metrics are null. Forms
//! of the files and names of the figures: docs/evaluate.md.

pub mod habit;
pub mod merges;
pub mod occupancy;
pub mod preference;
pub mod preparation;
pub mod thermal;

use serde::de::DeserializeOwned;
use std::io::{BufRead, Read, Write};

/// A line longer than this is no line of such a file.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a file cannot be evaluated: where, what, and in which field.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A line is not what the file's form asks for.
    #[error("{file}:{line}: {field}: {what}")]
    Line {
        /// The file, as it was named.
        file: String,
        /// Counted from 1.
        line: usize,
        /// The path of the field within the line, `.` for the line as a whole.
        field: String,
        /// What is wrong with it.
        what: String,
    },
    /// It cannot be read or written at all.
    #[error("{file}: {error}")]
    File {
        /// The file, as it was named.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
}

/// A file, or part of one, with the name that faults are told under.
pub struct Input<R> {
    /// As the engineer wrote it.
    pub name: String,
    /// Its text.
    pub text: R,
}

impl<R: BufRead> Input<R> {
    /// Hands each line that is not empty, with its number, to `take`; lines are read one at a time.
    ///
    /// # Errors
    /// Says which line and which field cannot be read, or what `take` found wrong with it.
    pub fn each<T: DeserializeOwned>(
        mut self,
        mut take: impl FnMut(usize, T) -> Result<(), (String, String)>,
    ) -> Result<(), Fault> {
        let mut text = String::new();
        for line in 1.. {
            text.clear();
            let read = (&mut self.text).take(LINE_BYTES_MAX).read_line(&mut text);
            if read.map_err(|error| Fault::File {
                file: self.name.clone(),
                error,
            })? == 0
            {
                return Ok(());
            }
            if text.trim().is_empty() {
                continue;
            }
            let fault = |(field, what)| Fault::Line {
                file: self.name.clone(),
                line,
                field,
                what,
            };
            let value = read_line(&text).map_err(fault)?;
            take(line, value).map_err(fault)?;
        }
        Ok(())
    }
}

/// Returns the value of one line, or the field that is wrong and why.
fn read_line<T: DeserializeOwned>(text: &str) -> Result<T, (String, String)> {
    let mut from = serde_json::Deserializer::from_str(text);
    let value =
        serde_path_to_error::deserialize(&mut from).map_err(|e| (e.path().to_string(), e.inner().to_string()))?;
    from.end().map_err(|e| (".".to_owned(), e.to_string()))?;
    Ok(value)
}

/// Writes one answer as a JSON line.
///
/// # Errors
/// Says what the system said.
pub fn write_answer(to: &mut dyn Write, answer: &impl serde::Serialize) -> Result<(), Fault> {
    let fault = |error| Fault::File {
        file: "answers".into(),
        error,
    };
    serde_json::to_writer(&mut *to, answer).map_err(|e| fault(e.into()))?;
    to.write_all(b"\n").map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Row {
        guest: u32,
        stays: Vec<u32>,
    }

    fn read(text: &str) -> Result<usize, String> {
        let mut rows = 0;
        let input = Input {
            name: "rows.jsonl".into(),
            text: text.as_bytes(),
        };
        let read = input.each(|_, _: Row| {
            rows += 1;
            Ok(())
        });
        read.map(|()| rows).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_fault_says_file_line_and_field() {
        assert_eq!(read("{\"guest\":1,\"stays\":[1]}\n\n{\"guest\":2,\"stays\":[]}"), Ok(2));
        let fault = read("{\"guest\":1,\"stays\":[1]}\n{\"guest\":2,\"stays\":[1,\"x\"]}").unwrap_err();
        assert!(fault.starts_with("rows.jsonl:2: stays[1]: invalid type"), "{fault}");
        assert!(read("{\"guest\":1}").unwrap_err().contains("missing field `stays`"));
        assert!(read("{\"guest\":1,\"stays\":[]} x").is_err());
    }
}

//! Which files are the configuration, and what does a check of them say?

use super::configured::Configured;
use super::fault::{Fault, Severity};
use super::from_texts;
use super::gather::Text;
use crate::profile::Library;
use crate::strict::{Kind, TEXT_BYTES_MAX, Tree};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most files of one configuration: a file a room for the largest hotel of one gateway, and some.
pub const FILES_MAX: usize = 1000;

/// The folders of a configuration folder whose files are read too.
const FOLDERS: [&str; 2] = ["conf.d", "rooms"];

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    /// Every fault and warning, in the order of the files.
    pub faults: Vec<Fault>,
    /// What would run; none when a fault refuses it.
    pub summary: Option<Summary>,
}

/// What would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The property.
    pub property: String,
    /// Names the configuration.
    pub hash: String,
    /// How many files it is made of.
    pub files: usize,
    /// How many rooms.
    pub rooms: usize,
    /// How many devices.
    pub devices: usize,
    /// How many links.
    pub links: usize,
}

impl CheckReport {
    /// Whether the configuration may run.
    pub const fn may_run(&self) -> bool {
        self.summary.is_some()
    }

    /// How many of the faults are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.faults.iter().filter(|fault| fault.severity == severity).count()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.iter().try_for_each(|fault| writeln!(f, "{fault}"))?;
        let warnings = self.count(Severity::Warning);
        match &self.summary {
            Some(s) => write!(
                f,
                "{}: {} rooms, {} devices, {} links in {} files; configuration {}; warnings: {warnings}",
                s.property, s.rooms, s.devices, s.links, s.files, s.hash
            ),
            None => write!(
                f,
                "refused; errors: {}, warnings: {warnings}",
                self.count(Severity::Error)
            ),
        }
    }
}

/// Reads and checks files and folders as one configuration. A folder is its `innkeeper.toml`, its `conf.d/*.toml` and its
/// `rooms/*.toml`.
pub fn check(paths: &[PathBuf]) -> CheckReport {
    let files = texts(paths).map_or(0, |texts| texts.len());
    match load(paths) {
        Ok((configured, _)) => {
            let summary = Summary {
                property: configured.property.id.to_string(),
                hash: configured.hash,
                files,
                rooms: configured.property.rooms.len(),
                devices: configured.bindings.len(),
                links: configured.links.len(),
            };
            CheckReport {
                faults: configured.warnings,
                summary: Some(summary),
            }
        }
        Err(faults) => CheckReport { faults, summary: None },
    }
}

/// Reads files and folders as one configuration, together with the profiles it uses: the built-in ones under those of
/// its `[profiles] dir`.
///
/// # Errors
/// Every fault found, of files that cannot be read, of profiles, and of the configuration itself.
pub fn load(paths: &[PathBuf]) -> Result<(Configured, Library), Vec<Fault>> {
    let texts = texts(paths)?;
    let library = library(&texts)?;
    from_texts(&texts, &library).map(|configured| (configured, library))
}

/// Reads the texts of files and folders, in an order that does not depend on the file system.
fn texts(paths: &[PathBuf]) -> Result<Vec<Text>, Vec<Fault>> {
    let mut all = Vec::new();
    for path in paths {
        let found = files(path).and_then(|files| {
            if files.is_empty() {
                Err(nothing_there())
            } else {
                Ok(files)
            }
        });
        all.append(&mut found.map_err(|fault| vec![unreadable(path, &fault.to_string())])?);
    }
    if all.len() > FILES_MAX {
        let why = format!(
            "{} files, {FILES_MAX} are read at most; put several rooms into one",
            all.len()
        );
        return Err(vec![unreadable(&all[FILES_MAX], &why)]);
    }
    files_read(&all)
}

fn files_read(files: &[PathBuf]) -> Result<Vec<Text>, Vec<Fault>> {
    let mut texts = Vec::with_capacity(files.len());
    let mut faults = Vec::new();
    for file in files {
        match read(file) {
            Ok(text) => texts.push(Text {
                name: file.display().to_string(),
                text,
            }),
            Err(fault) => faults.push(unreadable(file, &fault.to_string())),
        }
    }
    if faults.is_empty() { Ok(texts) } else { Err(faults) }
}

fn nothing_there() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        "the folder holds no innkeeper.toml, conf.d/*.toml or rooms/*.toml",
    )
}

fn unreadable(path: &Path, why: &str) -> Fault {
    Fault {
        severity: Severity::Error,
        file: path.display().to_string(),
        line: 1,
        column: 1,
        message: format!("cannot be read: {why}"),
        help: String::new(),
    }
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > TEXT_BYTES_MAX as u64 {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("longer than {TEXT_BYTES_MAX} bytes; split it"),
        ));
    }
    fs::read_to_string(path)
}

fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let main = path.join("innkeeper.toml");
    let mut files: Vec<PathBuf> = if main.is_file() { vec![main] } else { Vec::new() };
    for folder in FOLDERS
        .map(|folder| path.join(folder))
        .iter()
        .filter(|folder| folder.is_dir())
    {
        files.append(&mut toml_files(folder)?);
    }
    Ok(files)
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    let is_toml = |file: &PathBuf| file.extension().is_some_and(|end| end == "toml") && file.is_file();
    let mut files: Vec<PathBuf> = entries.into_iter().filter(is_toml).collect();
    files.sort();
    Ok(files)
}

/// The built-in profiles, under those of the folders that the texts name.
fn library(texts: &[Text]) -> Result<Library, Vec<Fault>> {
    let told = |faults: Vec<crate::strict::Fault>| faults.into_iter().map(Fault::from).collect::<Vec<_>>();
    let mut library = Library::on_demand();
    for text in texts {
        let Some(dir) = profiles_dir(text) else { continue };
        let dir = Path::new(&text.name).parent().unwrap_or(Path::new("")).join(dir);
        let files = toml_files(&dir).map_err(|fault| vec![unreadable(&dir, &fault.to_string())])?;
        let own = files_read(&files)?;
        library
            .overlay(own.iter().map(|file| (file.name.as_str(), file.text.as_str())))
            .map_err(told)?;
    }
    Ok(library)
}

fn profiles_dir(text: &Text) -> Option<String> {
    if !text.text.contains("profiles") {
        return None;
    }
    match &Tree::parse(&text.name, &text.text)
        .ok()?
        .get(&["profiles", "dir"])?
        .kind
    {
        Kind::Text(dir) => Some(dir.clone()),
        _ => None,
    }
}

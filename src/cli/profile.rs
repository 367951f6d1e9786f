//! Does this profile do what it says, and what does it make of this message?

use crate::profile::{Library, Profile as Model, examples};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use std::io::{BufRead, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// What stands in an answer for a line that is no message.
const NO_MESSAGE: &str = "no_message";

/// Tries device profiles by hand.
#[derive(Debug, Subcommand)]
pub enum Profile {
    /// Holds profiles to their golden examples: the built-in ones, or the files and folders given
    Test(Test),
    /// Decodes JSON lines {"topic", "payload"} from standard input; a line that is none is answered as rejected
    Decode(Decode),
    /// Says which profile fits each entry of zigbee2mqtt's bridge/devices, as JSON lines or one array on standard input
    Match(Match),
    /// Lists the built-in profiles
    List,
}

/// Holds profiles to their examples.
#[derive(Debug, Args)]
pub struct Test {
    /// Profile files, or folders of them
    paths: Vec<PathBuf>,
}

/// Decodes messages.
#[derive(Debug, Args)]
pub struct Decode {
    /// A profile's file, or the id of a built-in one
    #[arg(long, value_name = "FILE|ID")]
    profile: String,
}

/// Finds profiles for devices.
#[derive(Debug, Args)]
pub struct Match {
    /// A folder of further profiles
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
}

impl Profile {
    /// Does it.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Profile::Test(test) => test.run(),
            Profile::Decode(decode) => decode.run(),
            Profile::Match(find) => find.run(),
            Profile::List => list(),
        }
    }
}

impl Test {
    fn run(self) -> Result<ExitCode> {
        let (mut rows, mut failed, mut tried) = (0, 0, 0);
        for (profile, text) in self.profiles()? {
            let own = examples::own_rows(&profile).and_then(|mut own| {
                own.extend(examples::rows(&text)?);
                Ok(own)
            });
            let failures = match own {
                Ok(own) => {
                    let report = examples::run(&profile, &own);
                    rows += report.rows;
                    if report.rows == 0 {
                        vec![format!("{}: has no example; a profile needs some", profile.id())]
                    } else {
                        failures_of(&profile, &report.failures)
                    }
                }
                Err(failures) => failures_of(&profile, &failures),
            };
            tried += 1;
            failed += usize::from(!failures.is_empty());
            println!("{} {}", if failures.is_empty() { "ok  " } else { "FAIL" }, profile.id());
            failures.iter().for_each(|failure| println!("     {failure}"));
        }
        println!("{tried} profiles, {rows} examples; {failed} profiles failed");
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }

    /// The profiles to try, each with the text of the examples beside it.
    fn profiles(&self) -> Result<Vec<(Arc<Model>, String)>> {
        if self.paths.is_empty() {
            let rows = |id: &str| Library::shipped_rows(id).unwrap_or_default().to_owned();
            return Ok(built_in()?
                .iter()
                .map(|p| (Arc::clone(p), rows(p.id().as_str())))
                .collect());
        }
        let mut all = Vec::new();
        for path in &self.paths {
            let files = if path.is_dir() {
                toml_files(path)?
            } else {
                vec![path.clone()]
            };
            for file in files {
                let beside = file
                    .with_file_name("tests")
                    .join(file.file_stem().unwrap_or_default())
                    .with_extension("jsonl");
                all.push((
                    read_profile(&file)?,
                    std::fs::read_to_string(beside).unwrap_or_default(),
                ));
            }
        }
        Ok(all)
    }
}

impl Decode {
    fn run(self) -> Result<ExitCode> {
        let file = Path::new(&self.profile);
        let profile = if file.is_file() {
            read_profile(file)?
        } else {
            let library = built_in()?;
            let found = library.get(self.profile.trim_end_matches(".toml")).cloned();
            found.ok_or_else(|| {
                anyhow!(
                    "{} is neither a file nor a built-in profile; `innkeeper profile list` names them",
                    self.profile
                )
            })?
        };
        let mut out = stdout().lock();
        let mut is_all_read = true;
        for (number, line) in stdin().lock().split(b'\n').enumerate() {
            let line = line?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let answer = match message(&line) {
                Ok((topic, payload)) => {
                    serde_json::to_string(&crate::profile::decode_line(&profile, &topic, &payload))?
                }
                Err(fault) => {
                    is_all_read = false;
                    eprintln!(
                        "line {}: {fault:#}; write {{\"topic\": ..., \"payload\": ...}}",
                        number + 1
                    );
                    serde_json::json!({ "topic": null, "readings": [], "rejected": NO_MESSAGE }).to_string()
                }
            };
            writeln!(out, "{answer}")?;
        }
        Ok(if is_all_read {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}

impl Match {
    fn run(self) -> Result<ExitCode> {
        let mut library = built_in()?;
        if let Some(dir) = &self.profiles {
            let files = toml_files(dir)?;
            let texts = files
                .iter()
                .map(|f| Ok((f.display().to_string(), std::fs::read_to_string(f)?)))
                .collect::<Result<Vec<_>>>()?;
            let named = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            library.overlay(named).map_err(|faults| anyhow!("{}", lines(&faults)))?;
        }
        let mut out = stdout().lock();
        for entry in serde_json::Deserializer::from_reader(stdin().lock()).into_iter::<serde_json::Value>() {
            let entries = match entry.context("standard input is no JSON")? {
                serde_json::Value::Array(list) => list,
                one => vec![one],
            };
            for entry in entries {
                writeln!(out, "{}", serde_json::to_string(&library.match_line(&entry))?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list() -> Result<ExitCode> {
    for profile in built_in()?.iter() {
        let file = profile.file();
        println!(
            "{:34} {:9} {}",
            profile.id().as_str(),
            format!("{:?}", profile.trust()).to_lowercase(),
            file.title
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn failures_of(profile: &Model, failures: &[examples::Failure]) -> Vec<String> {
    failures
        .iter()
        .map(|failure| format!("{}: {failure}", profile.id()))
        .collect()
}

/// A message: the payload as text, or, for convenience, as the JSON it would be the text of.
fn message(line: &[u8]) -> Result<(String, Vec<u8>)> {
    let message: serde_json::Value = serde_json::from_slice(line)?;
    let topic = message
        .get("topic")
        .and_then(|t| t.as_str())
        .context("a message needs a \"topic\"")?;
    let payload = match message.get("payload") {
        Some(serde_json::Value::String(text)) => text.clone().into_bytes(),
        Some(json) => json.to_string().into_bytes(),
        None => bail!("a message needs a \"payload\""),
    };
    Ok((topic.to_owned(), payload))
}

fn built_in() -> Result<Library> {
    Library::built_in().map_err(|faults| anyhow!("{}", lines(&faults)))
}

fn read_profile(file: &Path) -> Result<Arc<Model>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    Model::parse(&file.display().to_string(), &text)
        .map(Arc::new)
        .map_err(|faults| anyhow!("{}", lines(&faults)))
}

fn toml_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("{}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
    files.sort();
    Ok(files)
}

fn lines(faults: &[crate::strict::Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

//! Is the room right when the door opens, in a hotel made up for the purpose?

use crate::evaluate::preparation::{self, Compare, Options, Site};
use anyhow::{Result, anyhow};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write, sink};
use std::path::PathBuf;
use std::process::ExitCode;

/// A simulated hotel in closed loop with the real engine, beside the rules that it is compared with.
#[derive(Debug, Args)]
pub struct Preparation {
    /// The season: heating, cooling or shoulder; all three when not given
    #[arg(long, value_parser = site)]
    site: Option<Site>,
    /// How many rooms
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=2000))]
    rooms: u16,
    /// How many days are judged
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// How many days before them everybody may learn in
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(0..=366))]
    warm_up: u16,
    /// What everything is made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many hotels are pooled, of this seed and the following ones
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Standard deviation of announced arrivals about the true ones, minutes
    #[arg(long, default_value_t = 60.0, value_name = "MIN")]
    eta_error: f64,
    /// Devices with half-degree steps that do not report what their valve does
    #[arg(long)]
    coarse: bool,
    /// Thermometers that fall silent, stick, jump and say nonsense
    #[arg(long)]
    faults: bool,
    /// No contact tells of open windows, the air alone does: how often it is right, beside the same hotel with contacts
    #[arg(long, conflicts_with = "coach")]
    no_contacts: bool,
    /// Only what must always and never be: innkeeper alone, nothing to compare with
    #[arg(long)]
    promises: bool,
    /// A coach party every afternoon: the plant's peak without a limit and with several, instead of the table of rules
    #[arg(long, conflicts_with_all = ["promises", "answers"])]
    coach: bool,
    /// Prints one JSON object of metrics
    #[arg(long)]
    json: bool,
    /// Writes every arrival under every rule as a JSON line
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
}

fn site(word: &str) -> Result<Site, String> {
    let found = Site::ALL.iter().find(|(name, _)| *name == word);
    found
        .map(|(_, site)| *site)
        .ok_or_else(|| "write heating, cooling or shoulder".to_owned())
}

impl Preparation {
    /// Exit status 0 when it ran to its end, whatever the figures.
    pub fn run(self) -> Result<ExitCode> {
        if !self.eta_error.is_finite() || !(0.0..=600.0).contains(&self.eta_error) {
            return Err(anyhow!("--eta-error {}: write 0 to 600", self.eta_error));
        }
        let mut answers: Box<dyn Write> = match &self.answers {
            Some(path) => Box::new(BufWriter::new(File::create(path)?)),
            None => Box::new(sink()),
        };
        let mut metrics = serde_json::Map::new();
        let sites: Vec<Site> = self
            .site
            .map_or(Site::ALL.map(|(_, site)| site).to_vec(), |site| vec![site]);
        for site in sites {
            if self.coach {
                let parties = preparation::coach::run(self.options(site)).map_err(|what| anyhow!(what))?;
                if !self.json {
                    println!("{}\n{}", site.word(), preparation::coach::table(&parties));
                }
                metrics.insert(site.word().to_owned(), serde_json::to_value(&parties)?);
                continue;
            }
            let compare = if self.promises { Compare::Promises } else { Compare::All };
            let figures = preparation::run(self.options(site), self.seeds, compare, &mut answers);
            let figures = figures.map_err(|what| anyhow!(what))?;
            if !self.json {
                println!("{}\n{}", site.word(), preparation::table(&figures));
            }
            metrics.insert(site.word().to_owned(), serde_json::to_value(&figures)?);
        }
        answers.flush()?;
        if self.json {
            println!("{}", serde_json::to_string(&metrics)?);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self, site: Site) -> Options {
        Options {
            site,
            rooms: usize::from(self.rooms),
            days: usize::from(self.days),
            warm_up_days: usize::from(self.warm_up),
            seed: self.seed,
            eta_error_min: self.eta_error,
            is_coarse: self.coarse,
            has_faults: self.faults,
            has_window_contacts: !self.no_contacts,
        }
    }
}

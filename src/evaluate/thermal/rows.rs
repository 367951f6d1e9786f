//! What does a file of rooms say, row by row?
//!
//! Comma-separated, with a header; columns are found by their names and may stand in any order. Rows of a room are five
//! minutes apart and in order; a row that is missing is a tick without a reading.

use super::{DAY, TICK_MIN};
use crate::evaluate::{Fault, Input};
use std::collections::BTreeMap;
use std::io::BufRead;

/// A gap longer than this is a fault of the file rather than of a device, rows.
const GAP_MAX: i64 = 14 * DAY as i64;
/// A door or window stirs the air for so many ticks after it closed.
const STIRS: usize = 3;
/// Columns that must be there.
const NEEDED: [&str; 7] = ["room", "minute", "t_meas", "u_heat", "u_cool", "sp_heat", "sp_cool"];

/// One row: what was known at its minute, and what was commanded in the five minutes after.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// Minutes since the file's own midnight.
    pub minute: i64,
    /// The thermometer's reading, C.
    pub air: Option<f64>,
    /// Mean heating output over the next five minutes.
    pub heating: f64,
    /// Mean cooling output over the next five minutes.
    pub cooling: f64,
    /// What heating is told, C.
    pub heating_to: f64,
    /// What cooling is told, C.
    pub cooling_to: f64,
    /// The feed's outdoor air, C.
    pub outdoor: Option<f64>,
    /// The feed's sun on the facade, W/m2.
    pub sun: Option<f64>,
    /// The adjoining rooms' air, C.
    pub neighbours: Option<f64>,
    /// Somebody is in.
    pub occupied: bool,
    /// A window or balcony is open, or was a moment ago.
    pub open_lately: bool,
    /// The true air, C: never shown to the estimator.
    pub truth: Option<f64>,
}

/// One room's rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoomRows {
    /// The room's name in the file.
    pub id: String,
    /// Its rows, without gaps.
    pub samples: Vec<Sample>,
    since_open: Option<usize>,
}

impl RoomRows {
    /// Which day of the room's own count a row lies in.
    pub fn day(&self, n: usize) -> usize {
        let first = self.samples.first().map_or(0, |sample| sample.minute.div_euclid(1440));
        usize::try_from(self.samples[n].minute.div_euclid(1440) - first).unwrap_or(0)
    }

    /// Which tick of its day a row is.
    pub fn tick_of_day(&self, n: usize) -> usize {
        usize::try_from(self.samples[n].minute.rem_euclid(1440)).unwrap_or(0) / TICK_MIN
    }

    /// Adds a row, and rows without a reading for those that are missing before it.
    fn push(&mut self, mut sample: Sample, is_open: bool) -> Result<(), String> {
        if let Some(last) = self.samples.last().copied() {
            let step = TICK_MIN as i64;
            let missing = (sample.minute - last.minute) / step - 1;
            if (sample.minute - last.minute) % step != 0 || missing < 0 {
                return Err(format!(
                    "rows of a room are {step} minutes apart, and this follows minute {}",
                    last.minute
                ));
            }
            if missing > GAP_MAX {
                return Err(format!(
                    "{missing} rows are missing before this one; cut the file there"
                ));
            }
            let filled = (1..=missing).map(|n| Sample {
                minute: last.minute + n * step,
                air: None,
                truth: None,
                ..last
            });
            self.samples.extend(filled);
        }
        self.since_open = if is_open {
            Some(0)
        } else {
            self.since_open.map(|ticks| ticks + 1)
        };
        sample.open_lately = self.since_open.is_some_and(|ticks| ticks < STIRS);
        self.samples.push(sample);
        Ok(())
    }
}

/// Reads the whole file.
///
/// # Errors
/// Says which line and which column cannot be read, and why.
pub fn read<R: BufRead>(input: Input<R>) -> Result<Vec<RoomRows>, Fault> {
    let name = input.name;
    let at = |line: usize, (field, what): (String, String)| Fault::Line {
        file: name.clone(),
        line,
        field,
        what,
    };
    let mut columns = None;
    let mut rooms: Vec<RoomRows> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (n, text) in input.text.lines().enumerate() {
        let text = text.map_err(|error| Fault::File {
            file: name.clone(),
            error,
        })?;
        let cells: Vec<&str> = text.trim_end_matches('\r').split(',').map(str::trim).collect();
        let Some(columns) = &columns else {
            columns = Some(Columns::new(&cells).map_err(|fault| at(n + 1, fault))?);
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        let (id, sample, is_open) = columns.sample(&cells).map_err(|fault| at(n + 1, fault))?;
        let place = *places.entry(id.clone()).or_insert_with(|| {
            rooms.push(RoomRows {
                id,
                ..RoomRows::default()
            });
            rooms.len() - 1
        });
        rooms[place]
            .push(sample, is_open)
            .map_err(|what| at(n + 1, ("minute".into(), what)))?;
    }
    Ok(rooms)
}

/// Where each column stands.
struct Columns(BTreeMap<String, usize>);

impl Columns {
    fn new(header: &[&str]) -> Result<Self, (String, String)> {
        let columns: BTreeMap<String, usize> = header
            .iter()
            .enumerate()
            .map(|(n, name)| ((*name).to_owned(), n))
            .collect();
        match NEEDED.iter().find(|name| !columns.contains_key(**name)) {
            Some(missing) => Err((
                (*missing).into(),
                format!("the header must name the columns {}", NEEDED.join(", ")),
            )),
            None => Ok(Self(columns)),
        }
    }

    fn sample(&self, cells: &[&str]) -> Result<(String, Sample, bool), (String, String)> {
        let needed = |name: &str| {
            self.number(cells, name)?
                .ok_or_else(|| (name.to_owned(), "is empty; write a number".to_owned()))
        };
        let id = self.cell(cells, "room").filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| ("room".to_owned(), "is empty; write the room's name".to_owned()))?;
        let minute = needed("minute")?;
        if minute.fract() != 0.0 || minute.abs() > 1e9 {
            return Err(("minute".into(), format!("{minute} is no whole minute")));
        }
        let sample = Sample {
            minute: minute as i64,
            air: self.number(cells, "t_meas")?,
            heating: needed("u_heat")?,
            cooling: needed("u_cool")?,
            heating_to: needed("sp_heat")?,
            cooling_to: needed("sp_cool")?,
            outdoor: self.number(cells, "t_out_feed")?,
            sun: self.number(cells, "solar_feed")?,
            neighbours: self.number(cells, "t_neigh")?,
            occupied: self.number(cells, "occ")? == Some(1.0),
            open_lately: false,
            truth: self.number(cells, "t_true")?,
        };
        let is_open = self.number(cells, "opening")?.is_some_and(|open| open > 0.0);
        Ok((id.to_owned(), sample, is_open))
    }

    fn cell<'a>(&self, cells: &[&'a str], name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(|place| cells.get(*place)).copied()
    }

    /// A number; empty and `nan` are none.
    fn number(&self, cells: &[&str], name: &str) -> Result<Option<f64>, (String, String)> {
        let Some(text) = self.cell(cells, name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_nan() => Ok(None),
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err((name.to_owned(), format!("{text:?} is no number"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<RoomRows>, String> {
        read(Input {
            name: "rooms.csv".into(),
            text: text.as_bytes(),
        })
        .map_err(|fault| fault.to_string())
    }

    const HEADER: &str = "minute,room,t_meas,u_heat,u_cool,sp_heat,sp_cool,occ\n";

    #[test]
    fn columns_are_found_by_name_and_a_missing_row_is_a_tick_without_a_reading() {
        let rooms = read_text(&format!(
            "{HEADER}0,a,20.5,0,0,18,27,1\n0,b,,1,0,18,27,2\n15,a,21,0.5,0,18,27,0\n"
        ))
        .unwrap();
        assert_eq!((rooms.len(), rooms[0].samples.len()), (2, 4));
        let air: Vec<Option<f64>> = rooms[0].samples.iter().map(|s| s.air).collect();
        assert_eq!(air, [Some(20.5), None, None, Some(21.0)]);
        assert_eq!(
            (
                rooms[0].samples[2].minute,
                rooms[0].samples[0].occupied,
                rooms[1].samples[0].occupied
            ),
            (10, true, false)
        );
    }

    #[test]
    fn a_fault_says_line_and_column() {
        for (text, said) in [
            ("room,minute\n".to_owned(), "rooms.csv:1: t_meas: the header must name"),
            (
                format!("{HEADER}0,a,warm,0,0,18,27,0\n"),
                "rooms.csv:2: t_meas: \"warm\" is no number",
            ),
            (format!("{HEADER}0,a,20,,0,18,27,0\n"), "rooms.csv:2: u_heat: is empty"),
            (
                format!("{HEADER}0,a,20,0,0,18,27,0\n3,a,20,0,0,18,27,0\n"),
                "rooms.csv:3: minute: rows of a room",
            ),
            (
                format!("{HEADER}0,a,20,0,0,18,27,0\n0,a,20,0,0,18,27,0\n"),
                "rooms.csv:3: minute: rows of a room",
            ),
            (
                format!("{HEADER}0,a,inf,0,0,18,27,0\n"),
                "rooms.csv:2: t_meas: \"inf\" is no number",
            ),
            (format!("{HEADER}1e300,a,20,0,0,18,27,0\n"), "rooms.csv:2: minute:"),
        ] {
            let fault = read_text(&text).unwrap_err();
            assert!(fault.starts_with(said), "{fault}");
        }
    }
}

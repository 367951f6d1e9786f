//! Runs every file in `tests/stories/`: timed events in, expected effects out, as a hotel engineer would write them.
//!
//! The format is told in `tests/stories/README.md`. The rooms' devices obey: what they are told they report two seconds
//! later, and the air follows the set-point at the pace the story gives.

use crate::property::{device, property, reading, room};
use innkeeper::engine::Engine;
use innkeeper::engine::calendar::Calendar;
use innkeeper::model::*;
use innkeeper::record::{Answer, Driver};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The stories' day 0: a Saturday in November.
const DAY_ZERO: &str = "2026-11-21";

#[test]
fn every_story_comes_true() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "story"));
    files.sort();
    assert!(files.len() >= 10, "only {} stories found", files.len());
    let mut faults = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if let Err(fault) = Story::new().run(&text) {
            faults.push(format!("tests/stories/{name}:{fault}"));
        }
    }
    println!("{} stories told", files.len());
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

struct Story {
    rooms: Vec<RoomSetup>,
    adjust: Vec<String>,
    driver: Option<Driver>,
    calendar: Calendar,
    now: Moment,
    day: i64,
    air: BTreeMap<String, f64>,
    set: BTreeMap<String, f64>,
    pace: (f64, f64),
    air_at: Moment,
    deaf: bool,
    seen: Vec<(Moment, Json)>,
    window: usize,
    looked: bool,
}

impl Story {
    fn new() -> Self {
        Self {
            rooms: vec![],
            adjust: vec![],
            driver: None,
            calendar: Calendar::new("Europe/Vienna").unwrap(),
            now: Moment::EARLIEST,
            day: 0,
            air: BTreeMap::new(),
            set: BTreeMap::new(),
            pace: (3.0, 0.5),
            air_at: Moment::EARLIEST,
            deaf: false,
            seen: vec![],
            window: 0,
            looked: false,
        }
    }

    fn run(mut self, text: &str) -> Result<(), String> {
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                self.line(line)
                    .map_err(|fault| format!("{}: {fault}\n    {line}", number + 1))?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "room" => return self.given_room(&words),
            "policy" => {
                self.adjust.push(words[1..].join(" "));
                return Ok(());
            }
            "air" => {
                let start: f64 = words[1].parse().map_err(|_| "air in C")?;
                self.rooms
                    .iter()
                    .for_each(|r| _ = self.air.insert(r.id.to_string(), start));
                if let Some(at) = words.iter().position(|w| *w == "warms") {
                    self.pace = (
                        words[at + 1].parse().map_err(|_| "K/h")?,
                        words[at + 3].parse().map_err(|_| "K/h")?,
                    );
                }
                return Ok(());
            }
            _ => {}
        }
        if words[0] == "day" {
            self.day = words[1].parse().map_err(|_| "day N")?;
            words.drain(..2);
        }
        if words.is_empty() {
            return Ok(());
        }
        let at = self.time(words[0])?;
        self.advance(at)?;
        match words[1] {
            "saw" => self.saw(&words[2..]),
            _ => {
                if self.looked {
                    (self.window, self.looked) = (self.seen.len(), false);
                }
                self.happens(&words[1..])
            }
        }
    }

    fn given_room(&mut self, words: &[&str]) -> Result<(), String> {
        let id = words[1].trim_end_matches(':');
        self.rooms.push(room(id, &words[2..]));
        Ok(())
    }

    fn time(&self, word: &str) -> Result<Moment, String> {
        self.time_on(self.day, word)
    }

    fn time_on(&self, day: i64, word: &str) -> Result<Moment, String> {
        let date: jiff::civil::Date = DAY_ZERO.parse().unwrap();
        let date = date + jiff::Span::new().days(day);
        let time: jiff::civil::Time = word.parse().map_err(|_| format!("{word:?} is no time of day"))?;
        let zoned = date
            .to_datetime(time)
            .in_tz("Europe/Vienna")
            .map_err(|e| e.to_string())?;
        Ok(Moment::from_millis(zoned.timestamp().as_millisecond()))
    }

    fn driver(&mut self) -> &mut Driver {
        if self.driver.is_none() {
            let mut property = property(self.rooms.clone());
            for adjust in &self.adjust {
                self::adjust(&mut property, adjust);
            }
            self.driver = Some(Driver::new(Engine::new(Arc::new(property)).unwrap()));
        }
        self.driver.as_mut().unwrap()
    }

    /// Lets the time pass in steps of ten minutes, with air that follows the set-point.
    fn advance(&mut self, until: Moment) -> Result<(), String> {
        if self.now == Moment::EARLIEST {
            self.now = until;
            return self.report_air();
        }
        if until < self.now {
            return Err(format!("goes back in time, from {}", self.now));
        }
        while self.now < until {
            let due = self
                .driver()
                .engine()
                .deadline()
                .unwrap_or(until)
                .max(self.now + Span::millis(1));
            let next = until.min(self.now + Span::minutes(10)).min(due);
            let answers = self.driver().advance(next);
            self.take(answers);
            self.move_air(next.since(self.now).as_hours_f64());
            self.now = next;
            if self.now >= self.air_at {
                self.air_at = self.now + Span::minutes(10);
                self.report_air()?;
            }
        }
        Ok(())
    }

    fn move_air(&mut self, hours: f64) {
        let (up, down) = self.pace;
        for (room, air) in &mut self.air {
            let set = self.set.get(room).copied().unwrap_or(16.0);
            let off = set - *air;
            *air += off.clamp(-down * hours, up * hours);
        }
    }

    fn report_air(&mut self) -> Result<(), String> {
        let airs: Vec<(String, f64)> = self.air.iter().map(|(r, t)| (r.clone(), *t)).collect();
        for (room, air) in airs {
            let value = Celsius::new((air * 10.0).round() / 10.0)
                .map(Value::Temperature)
                .ok_or("air out of range")?;
            self.feed(reading(device(&room, "thermostat"), Point::RoomTemperature, value));
        }
        Ok(())
    }

    fn feed(&mut self, event: Event) {
        let stamped = Stamped { at: self.now, event };
        let answers = self.driver().feed(stamped);
        self.take(answers);
    }

    /// Notes what was answered; devices obey.
    fn take(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            for effect in answer.effects {
                self.seen.push((answer.at, serde_json::to_value(&effect).unwrap()));
                let Effect::Command(command) = effect else { continue };
                if self.deaf {
                    continue;
                }
                if command.point == Point::TargetTemperature {
                    self.set
                        .insert(command.id.room.to_string(), command.value.number().unwrap());
                }
                let stamped = Stamped {
                    at: answer.at + Span::seconds(2),
                    event: reading(command.device, command.point, command.value),
                };
                let more = self.driver().feed(stamped);
                self.take(more);
            }
        }
    }

    fn happens(&mut self, words: &[&str]) -> Result<(), String> {
        match words[0] {
            "stay" => self.stay(words),
            "prior" => self.prior(words),
            "central" => self.central(words),
            "confirm" => self.confirm(words),
            "says" => self.says(words),
            "override" => self.override_room(words),
            "month" => {
                self.feed(Event::DormantRound);
                Ok(())
            }
            "outdoor" => {
                let temperature = words[1].parse().ok().and_then(Celsius::new).ok_or("outdoor in C")?;
                self.feed(Event::Outdoor { temperature });
                Ok(())
            }
            "limit" => {
                let share = words[1].parse().ok().and_then(Percent::new);
                self.feed(Event::PowerLimit { share, until: None });
                Ok(())
            }
            "link" => {
                let link = LinkId::new(words[1]).map_err(|e| e.to_string())?;
                let devices = self.rooms.iter().flat_map(|room| &room.devices);
                let devices = devices.map(|device| device.id.clone()).collect();
                let up = words[2] == "up";
                self.feed(Event::Link { link, devices, up });
                Ok(())
            }
            "devices" => {
                self.deaf = words[1] == "deaf";
                Ok(())
            }
            "restart" => self.restart(),
            _ => self.device(words),
        }
    }

    fn restart(&mut self) -> Result<(), String> {
        let old = self.driver.take().ok_or("nothing runs yet")?;
        let property = Arc::clone(old.engine().property());
        let mut engine = Engine::new(property)?;
        for key in old.engine().keys() {
            let bytes = old.engine().record(&key).ok_or("no record")?;
            engine.restore(&key, &bytes).map_err(|e| e.to_string())?;
        }
        engine.resume(self.now);
        self.driver = Some(Driver::new(engine));
        Ok(())
    }

    /// `1204-door open true`, `1204-bed battery 9`, optionally `replayed`.
    fn device(&mut self, words: &[&str]) -> Result<(), String> {
        let device = DeviceId::new(words[0]).map_err(|e| e.to_string())?;
        let point = Point::from_name(words[1]).ok_or_else(|| format!("no point {:?}", words[1]))?;
        let scalar: Json = serde_json::from_str(words[2]).unwrap_or_else(|_| json!(words[2]));
        let value = point.kind().read(&scalar)?;
        if point == Point::TargetTemperature {
            let room = words[0].split('-').next().unwrap_or_default();
            self.set.insert(room.into(), value.number().unwrap_or_default());
        }
        let mut event = reading(device, point, value);
        if let (Event::Reading(reading), Some(&"replayed")) = (&mut event, words.get(3)) {
            reading.freshness = Freshness::Replayed;
        }
        self.feed(event);
        Ok(())
    }

    /// `stay TOKEN reserved|checked_in|checked_out|cancelled|no_show room 1204 [guest TOKEN] [eta [dayN/]HH:MM] [leaves dayN/HH:MM]
    /// [wants 24] [hard 80] [items a,b] [version N]`
    fn stay(&mut self, words: &[&str]) -> Result<(), String> {
        let mut notice = json!({ "stay": words[1], "status": words[2], "version": self.now.millis() });
        for pair in words[3..].chunks(2) {
            let [name, value] = pair else {
                return Err("words come in pairs".into());
            };
            match *name {
                "room" | "guest" => notice[*name] = json!(value),
                "eta" => notice["eta"] = json!(self.when(value)?),
                "leaves" => notice["departure"] = json!(self.when(value)?),
                "wants" => notice["declared"]["temperature"] = json!(value.parse::<f64>().map_err(|e| e.to_string())?),
                "hard" => notice["declared"]["firmness"] = json!(value.parse::<f64>().map_err(|e| e.to_string())?),
                "items" => notice["items"] = json!(value.split(',').collect::<Vec<_>>()),
                "version" => notice["version"] = json!(value.parse::<u64>().map_err(|e| e.to_string())?),
                other => return Err(format!("a stay has no {other:?}")),
            }
        }
        self.feed(Event::Stay(serde_json::from_value(notice).map_err(|e| e.to_string())?));
        Ok(())
    }

    fn when(&self, word: &str) -> Result<Moment, String> {
        match word.strip_prefix("day").and_then(|rest| rest.split_once('/')) {
            Some((day, time)) => self.time_on(day.parse().map_err(|_| "dayN/HH:MM")?, time),
            None => self.time(word),
        }
    }

    /// `says ROOM ATTRIBUTE VALUE`: the guest says in words what is wanted.
    fn says(&mut self, words: &[&str]) -> Result<(), String> {
        let said: Json = serde_json::from_str(words[3]).unwrap_or_else(|_| json!(words[3]));
        self.feed(Event::GuestSays {
            room: RoomId::new(words[1]).map_err(|e| e.to_string())?,
            attribute: Attribute::from_word(words[2]).ok_or_else(|| format!("no attribute {:?}", words[2]))?,
            said: serde_json::from_value(said).map_err(|e| e.to_string())?,
        });
        Ok(())
    }

    /// `saw answer GUEST ATTRIBUTE word...`: what is known of the guest's like holds all the words.
    fn saw_answer(&mut self, guest: &str, attribute: &str, words: &[&str]) -> Result<(), String> {
        let (token, now) = (GuestToken::new(guest).map_err(|e| e.to_string())?, self.now);
        let answers = json!(self.driver().engine().preferences(&token, now).unwrap_or_default());
        let of = |answer: &&Json| answer["attribute"] == attribute;
        let answer = answers
            .as_array()
            .and_then(|all| all.iter().find(of))
            .cloned()
            .unwrap_or_default();
        if words == ["nothing"] && answer.is_null() || words.iter().all(|word| holds(&answer, word)) {
            Ok(())
        } else {
            Err(format!("the answer is {answer}"))
        }
    }

    /// `prior GUEST [temperature 24.5] [firmness 30] [ATTRIBUTE VALUE] [nights 3] [ago 40] [stay TOKEN] [erased DAYS_AGO] [items a,b]
    /// [must a,b] [milk 23:00,23:02]`
    fn prior(&mut self, words: &[&str]) -> Result<(), String> {
        let day = self.calendar.day(self.now);
        let mut stay = json!({ "property": "rome-via", "stay": format!("{:08}", day), "version": 1, "day": day - 40, "nights": 3, "acts": 2 });
        let mut prior = json!({ "guest": words[1] });
        for pair in words[2..].chunks(2) {
            let [name, value] = pair else {
                return Err("words come in pairs".into());
            };
            match *name {
                "temperature" | "firmness" | "nights" => {
                    stay[*name] = serde_json::from_str(value).map_err(|e| e.to_string())?
                }
                "ago" => stay["day"] = json!(day - value.parse::<i32>().map_err(|e| e.to_string())?),
                "stay" => stay["stay"] = json!(value),
                "erased" => prior["erased_up_to"] = json!(day - value.parse::<i32>().map_err(|e| e.to_string())?),
                name if Attribute::from_word(name).is_some() => {
                    let settled: Json = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                    let device = json!({ "settled": settled, "nights": 3, "acts": 3 });
                    stay["evidence"] = json!([{ "attribute": name, "device": device }]);
                }
                "items" => prior["items"] = json!(value.split(',').collect::<Vec<_>>()),
                "must" => prior["must_have"] = json!(value.split(',').collect::<Vec<_>>()),
                item => {
                    let minutes: Vec<Json> = value
                        .split(',')
                        .map(|t| {
                            let (h, m) = t.split_once(':').unwrap_or(("0", "0"));
                            json!([item, h.parse::<u16>().unwrap_or(0) * 60 + m.parse::<u16>().unwrap_or(0)])
                        })
                        .collect();
                    stay["habits"] = json!(minutes);
                }
            }
        }
        prior["stays"] = json!([stay]);
        self.feed(Event::Prior(serde_json::from_value(prior).map_err(|e| e.to_string())?));
        Ok(())
    }

    /// `central REQUEST done [room 1204] [item hot-milk]`; `last` names the last request raised.
    fn central(&mut self, words: &[&str]) -> Result<(), String> {
        let last = self.seen.iter().rev().find_map(|(_, e)| {
            let report = e.get("report")?;
            report
                .get("request")
                .or_else(|| report.get("emergency"))?
                .get("id")?
                .as_str()
                .map(String::from)
        });
        let id = if words[1] == "last" {
            last.ok_or("no request was raised yet")?
        } else {
            words[1].to_owned()
        };
        let mut notice = json!({ "request": id, "status": words[2] });
        words[3..].chunks(2).for_each(|pair| notice[pair[0]] = json!(pair[1]));
        self.feed(Event::RequestStatus(
            serde_json::from_value(notice).map_err(|e| e.to_string())?,
        ));
        Ok(())
    }

    /// `override ROOM [out_of_order|locked|kept_ready HOURS]`: people exempt a room, or end that.
    fn override_room(&mut self, words: &[&str]) -> Result<(), String> {
        let mut notice = json!({ "room": words[1], "said_at": self.now });
        if let [exempt, hours] = words[2..] {
            let hours = hours.parse().map_err(|_| "hours")?;
            notice["exempt"] = json!(exempt);
            notice["until"] = json!(self.now + Span::hours(hours));
        }
        self.feed(Event::Override(
            serde_json::from_value(notice).map_err(|e| e.to_string())?,
        ));
        Ok(())
    }

    /// `confirm STAY ATTRIBUTE [VALUE]`: the guest's answer to central's question.
    fn confirm(&mut self, words: &[&str]) -> Result<(), String> {
        let mut notice = json!({ "stay": words[1], "attribute": words[2] });
        if let Some(word) = words.get(3) {
            notice["value"] = serde_json::from_str(word).unwrap_or_else(|_| json!(word));
        }
        self.feed(Event::Confirm(
            serde_json::from_value(notice).map_err(|e| e.to_string())?,
        ));
        Ok(())
    }

    /// `saw [no] KIND word...`: among the effects since the last happening, one of that kind holds all the words.
    fn saw(&mut self, words: &[&str]) -> Result<(), String> {
        self.looked = true;
        let (wanted, words) = if words[0] == "no" {
            (false, &words[1..])
        } else {
            (true, words)
        };
        if words[0] == "phase" || words[0] == "presence" {
            return self.saw_state(words[0], words[1], words[2]);
        }
        if words[0] == "answer" {
            return self.saw_answer(words[1], words[2], &words[3..]);
        }
        let hit = self.seen[self.window..]
            .iter()
            .find(|(_, effect)| matches(effect, words));
        match (hit, wanted) {
            (None, true) => Err(format!("was not seen; seen were:\n{}", self.listing())),
            (Some((at, effect)), false) => Err(format!("was seen at {at}: {effect}")),
            _ => Ok(()),
        }
    }

    fn saw_state(&mut self, what: &str, room: &str, want: &str) -> Result<(), String> {
        let (id, now) = (RoomId::new(room).map_err(|e| e.to_string())?, self.now);
        let summary = self.driver().engine().summary(&id, now).ok_or("no such room")?;
        if summary[what] == want {
            Ok(())
        } else {
            Err(format!("{what} is {}", summary[what]))
        }
    }

    fn listing(&self) -> String {
        let is_telling = |e: &&(Moment, Json)| e.1.get("save").is_none();
        let lines = self.seen[self.window..]
            .iter()
            .filter(is_telling)
            .map(|(at, e)| format!("      {at} {e}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Whether an effect is of the kind and holds every word, as a key, a text or a number.
fn matches(effect: &Json, words: &[&str]) -> bool {
    let body = match words[0] {
        kind @ ("command" | "note" | "refuse") => effect.get(kind),
        kind => effect.get("report").and_then(|r| r.get(kind)),
    };
    body.is_some_and(|body| words[1..].iter().all(|word| holds(body, word)))
}

fn holds(json: &Json, word: &str) -> bool {
    match json {
        Json::String(text) => text == word,
        Json::Number(n) => word.parse::<f64>().ok() == n.as_f64(),
        Json::Bool(flag) => word == flag.to_string(),
        Json::Array(list) => list.iter().any(|item| holds(item, word)),
        Json::Object(map) => map.iter().any(|(key, value)| {
            if let Some((name, want)) = word.split_once('=') {
                key == name && holds(value, want) || holds(value, word)
            } else {
                holds(value, word)
            }
        }),
        Json::Null => false,
    }
}

fn adjust(property: &mut Property, text: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["plant", "cooling"] => property.policies.plant = Plant::Cooling,
        ["plant", "heating"] => property.policies.plant = Plant::Heating,
        ["plant", "auto"] => property.policies.plant = Plant::Auto,
        ["comfort", t] => property.policies.comfort = Celsius::new(t.parse().unwrap()).unwrap(),
        ["walk-ins", n] => property.policies.arrival.walk_in_pool_max = n.parse().unwrap(),
        ["plant", "rooms", n] => property.policies.power.rooms_at_full = Some(n.parse().unwrap()),
        _ => panic!("no policy {text:?}"),
    }
}

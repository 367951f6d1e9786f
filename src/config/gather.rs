//! What stands in the files, piece by piece, each piece with its place?
//!
//! The files are read as one. A piece that cannot be read is left out, so that all the others are still checked; its name
//! is kept, so that nobody is told a room does not exist which does.

use super::fault::{Faults, Severity};
use super::file::{
    ArrivalSection, EmergencySection, HabitsSection, JobsSection, LevelsSection, LimitsSection, ObserveSection,
    PowerSection, ProfilesSection, PropertySection, RoomSection, ServiceSection, StoreSection, TemplateSection,
};
use super::link::Link;
use super::shape;
use crate::model::LinkId;
use crate::strict::{Kind, Node, Tree};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// One text of the configuration.
#[derive(Debug, Clone)]
pub struct Text {
    /// The file as faults name it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Where something stands: in which file, behind which keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    source: usize,
    path: Vec<String>,
}

impl Place {
    /// The place of a key below this one.
    pub(super) fn key(&self, key: impl ToString) -> Place {
        let mut path = self.path.clone();
        path.push(key.to_string());
        Place {
            source: self.source,
            path,
        }
    }
}

/// A piece of the configuration with its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece<T> {
    pub(super) place: Place,
    pub(super) value: T,
}

/// The files taken apart, and the faults found in them so far.
#[derive(Debug, Default)]
pub(super) struct Desk {
    trees: Vec<Tree>,
    /// Values of the wrong shape, which have been told and are taken out.
    pruned: HashSet<Place>,
    pub(super) faults: Faults,
}

impl Desk {
    fn node(&self, place: &Place) -> Option<&Node> {
        self.trees.get(place.source)?.get(&path(place))
    }

    /// Whether something was written at this place that has the wrong shape, and has been told.
    pub(super) fn was_pruned(&self, place: &Place) -> bool {
        self.pruned.contains(place)
    }

    /// Whether something is written at this place.
    pub(super) fn has(&self, place: &Place) -> bool {
        self.node(place).is_some()
    }

    /// Line, column and file of a place, as it is told beside another fault.
    pub(super) fn tell(&self, place: &Place) -> String {
        self.trees.get(place.source).map_or(String::new(), |tree| {
            let (line, _) = tree.locate(&path(place));
            format!("{}:{line}", tree.file())
        })
    }

    /// Notes an error at a place.
    pub(super) fn error(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Error, place, "", message, help);
    }

    /// Notes a warning at a place.
    pub(super) fn warn(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Warning, place, "", message, help);
    }

    /// Notes a fault at a place; faults of one place and one `about` are told once, with their number. Without `about`
    /// only the same words are the same fault.
    pub(super) fn note(
        &mut self,
        severity: Severity,
        place: &Place,
        about: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let message = message.into();
        let about = if about.is_empty() {
            message.clone()
        } else {
            about.to_owned()
        };
        let Some(tree) = self.trees.get(place.source) else {
            return;
        };
        let fault = if self.node(place).is_some_and(is_table) {
            tree.fault_at_key(&path(place), message, help)
        } else {
            tree.fault(&path(place), message, help)
        };
        self.faults.note(severity, about, fault);
    }
}

fn path(place: &Place) -> Vec<&str> {
    place.path.iter().map(String::as_str).collect()
}

fn is_table(node: &Node) -> bool {
    matches!(node.kind, Kind::Table(_))
}

/// Everything that was written, in pieces.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) property: Option<Piece<PropertySection>>,
    pub(super) limits: Piece<LimitsSection>,
    pub(super) levels: Piece<LevelsSection>,
    pub(super) arrival: Piece<ArrivalSection>,
    pub(super) power: Piece<PowerSection>,
    pub(super) habits: Piece<HabitsSection>,
    pub(super) emergency: Piece<EmergencySection>,
    pub(super) jobs: Piece<JobsSection>,
    pub(super) store: Piece<StoreSection>,
    pub(super) observe: Piece<ObserveSection>,
    pub(super) profiles: Piece<ProfilesSection>,
    pub(super) services: BTreeMap<String, Piece<ServiceSection>>,
    pub(super) links: BTreeMap<LinkId, Piece<Link>>,
    pub(super) templates: BTreeMap<String, Piece<TemplateSection>>,
    pub(super) floors: BTreeMap<String, Piece<Vec<String>>>,
    pub(super) rooms: Vec<Piece<RoomSection>>,
    /// Names of links, templates and rooms that are written but could not be read.
    pub(super) unread: BTreeSet<String>,
}

/// Takes the texts apart, holds each against the schema, and gathers the pieces; none when a file is no TOML at all, since
/// half a hotel is told much that is not so.
pub(super) fn gather(texts: &[Text]) -> (Desk, Option<Gathered>) {
    let mut desk = Desk::default();
    let schema = shape::schema();
    for text in texts {
        match Tree::parse(&text.name, &text.text) {
            Err(faults) => desk.faults.extend(faults),
            Ok(mut tree) => {
                let faults = shape::faults(&tree, &schema);
                let source = desk.trees.len();
                desk.pruned
                    .extend(tree.prune(&faults).into_iter().map(|path| Place { source, path }));
                desk.faults.extend(faults);
                desk.trees.push(tree);
            }
        }
    }
    let whole = desk.trees.len() == texts.len();
    let gathered = whole.then(|| pieces(&mut desk));
    (desk, gathered)
}

fn pieces(desk: &mut Desk) -> Gathered {
    let mut all = Gathered::default();
    let unread = &mut BTreeSet::new();
    all.property = section(desk, "property", unread);
    all.limits = section(desk, "limits", unread).unwrap_or_default();
    all.levels = section(desk, "levels", unread).unwrap_or_default();
    all.arrival = section(desk, "arrival", unread).unwrap_or_default();
    all.power = section(desk, "power", unread).unwrap_or_default();
    all.habits = section(desk, "habits", unread).unwrap_or_default();
    all.emergency = section(desk, "emergency", unread).unwrap_or_default();
    all.jobs = section(desk, "jobs", unread).unwrap_or_default();
    all.store = section(desk, "store", unread).unwrap_or_default();
    all.observe = section(desk, "observe", unread).unwrap_or_default();
    all.profiles = section(desk, "profiles", unread).unwrap_or_default();
    all.services = table(desk, "services", unread);
    all.templates = table(desk, "template", unread);
    all.floors = table(desk, "floors", unread);
    for (name, piece) in table::<Link>(desk, "links", unread) {
        match LinkId::new(&name) {
            Ok(id) => drop(all.links.insert(id, piece)),
            Err(fault) => desk.error(&piece.place, format!("{name:?} is not a link id"), fault.want),
        }
    }
    all.rooms = rooms(desk, unread);
    all.unread = std::mem::take(unread);
    all
}

/// Reads a section that only one of the files may hold.
fn section<T: DeserializeOwned>(desk: &mut Desk, name: &str, unread: &mut BTreeSet<String>) -> Option<Piece<T>> {
    let mut places = places(desk, |tree| tree.get(&[name]).map(|_| vec![vec![name.to_owned()]]));
    for twice in places.split_off(places.len().min(1)) {
        let first = desk.tell(&places[0]);
        desk.error(
            &twice,
            format!("[{name}] is written a second time, first at {first}"),
            "write it in one file",
        );
    }
    piece(desk, places.pop()?, name, unread)
}

/// Reads a table of named pieces that the files fill together.
fn table<T: DeserializeOwned>(
    desk: &mut Desk,
    name: &str,
    unread: &mut BTreeSet<String>,
) -> BTreeMap<String, Piece<T>> {
    let places = places(desk, |tree| match &tree.get(&[name])?.kind {
        Kind::Table(entries) => Some(
            entries
                .iter()
                .map(|entry| vec![name.to_owned(), entry.key.clone()])
                .collect(),
        ),
        _ => None,
    });
    let mut first: BTreeMap<String, Place> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for place in places {
        let key = place.path[1].clone();
        if let Some(other) = first.get(&key) {
            let told = desk.tell(other);
            desk.error(
                &place,
                format!("[{name}.{key}] is written a second time, first at {told}"),
                "rename or remove one",
            );
            continue;
        }
        first.insert(key.clone(), place.clone());
        if let Some(piece) = piece(desk, place, &key, unread) {
            all.insert(key, piece);
        }
    }
    all
}

fn rooms(desk: &mut Desk, unread: &mut BTreeSet<String>) -> Vec<Piece<RoomSection>> {
    let places = places(desk, |tree| match &tree.get(&["room"])?.kind {
        Kind::List(items) => Some(
            (0..items.len())
                .map(|n| vec!["room".to_owned(), n.to_string()])
                .collect(),
        ),
        _ => None,
    });
    let mut all = Vec::with_capacity(places.len());
    for place in places {
        let name = match desk.node(&place.key("id")).map(|node| &node.kind) {
            Some(Kind::Text(id)) => id.clone(),
            _ => String::new(),
        };
        all.extend(piece(desk, place, &name, unread));
    }
    all
}

fn places(desk: &Desk, paths: impl Fn(&Tree) -> Option<Vec<Vec<String>>>) -> Vec<Place> {
    let each = desk.trees.iter().enumerate();
    each.flat_map(|(source, tree)| {
        paths(tree)
            .unwrap_or_default()
            .into_iter()
            .map(move |path| Place { source, path })
    })
    .collect()
}

/// Reads one piece. The schema has told already what keeps it from being read; where it has not, it is told here.
fn piece<T: DeserializeOwned>(
    desk: &mut Desk,
    place: Place,
    name: &str,
    unread: &mut BTreeSet<String>,
) -> Option<Piece<T>> {
    match desk.trees.get(place.source)?.take_at(&path(&place))? {
        Ok(value) => Some(Piece { place, value }),
        Err(fault) => {
            unread.insert(name.to_owned());
            if desk.faults.is_empty() {
                desk.faults.extend(vec![fault]);
            }
            None
        }
    }
}

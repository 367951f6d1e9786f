//! Which services does this room ask of people now, and how far has each come?
//!
//! One derived request a file. Each makes its request with an id that is the same whenever the same need is derived, so a
//! request derived again after a crash is the same request. This file keeps the open ones and their states.

pub mod arrival;
pub mod confirm;
pub mod maintenance;
pub mod make_up_room;
pub mod routine;
pub mod safety;

use crate::model::{
    Basis, Because, CallService, Item, Knock, Moment, Need, Policies, Relevance, Report, RequestId, RequestState,
    RequestStatus, RoomId, ServiceRequest, Span, StateReport, StatusNotice, StayToken, Urgency,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A room has no more open requests than this: more is a fault in a rule, and is refused rather than sent.
const OPEN_MAX: usize = 64;
/// Ids of requests that are over, so that they are not raised again.
const OVER_MAX: usize = 64;
/// A need that is still there after people have looked is not raised again for so long.
const LOOKED_FOR: Span = Span::hours(12);
/// A request that nobody ended is let go after this.
const LIFE_MAX: Span = Span::days(7);

/// The open requests of one room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Requests {
    open: BTreeMap<RequestId, ServiceRequest>,
    over: VecDeque<RequestId>,
    /// How often each recurring need was raised: part of its next id.
    counts: BTreeMap<String, u32>,
    /// When people last said that they had looked after a recurring need that may still be there. Kept as long as it counts.
    #[serde(default)]
    looked: BTreeMap<String, Moment>,
}

/// The parts of a request that its rule decides; the rest follows from the need.
pub struct Draft<'a> {
    /// Its id.
    pub id: RequestId,
    /// What is needed.
    pub need: Need,
    /// Where.
    pub room: &'a RoomId,
    /// For which stay.
    pub stay: Option<&'a StayToken>,
    /// Things to bring.
    pub items: Vec<Item>,
    /// Not before.
    pub not_before: Option<Moment>,
    /// By when.
    pub deadline: Option<Moment>,
    /// What it rests on.
    pub basis: Basis,
    /// How sure.
    pub confidence: f64,
    /// What this department should know.
    pub hints: Vec<String>,
    /// Why.
    pub because: Because,
}

impl Requests {
    /// Raises a request, unless the same need is open or over. An open one whose things or times differ is updated.
    pub fn raise(&mut self, now: Moment, policies: &Policies, draft: Draft<'_>) -> Option<Report> {
        if self.over.contains(&draft.id) {
            return None;
        }
        if let Some(open) = self.open.get_mut(&draft.id) {
            if open.items == draft.items && open.deadline == draft.deadline && open.not_before == draft.not_before {
                return None;
            }
            (open.items, open.deadline, open.not_before) = (draft.items, draft.deadline, draft.not_before);
            (open.because, open.revision) = (draft.because, open.revision + 1);
            return Some(Report::Request(Box::new(open.clone())));
        }
        if self.open.len() >= OPEN_MAX {
            return None;
        }
        let request = complete(now, policies, draft);
        self.open.insert(request.id.clone(), request.clone());
        Some(Report::Request(Box::new(request)))
    }

    /// Raises a request as far as its state says, or carries an open one there. What somebody has taken on is left alone.
    pub fn foresee(
        &mut self,
        now: Moment,
        policies: &Policies,
        draft: Draft<'_>,
        state: RequestState,
    ) -> Option<Report> {
        let known = self.open.get(&draft.id);
        let is_foreseen =
            |s: RequestState| matches!(s, RequestState::Staged | RequestState::Offered | RequestState::Raised);
        let is_refused = known.is_some_and(|open| !is_foreseen(open.state)) || self.over.contains(&draft.id);
        if is_refused || (known.is_none() && self.open.len() >= OPEN_MAX) {
            return None;
        }
        let (raised_at, revision) = known.map_or((now, 1), |open| (open.raised_at, open.revision + 1));
        let mut request = complete(now, policies, draft);
        (request.state, request.raised_at, request.revision) = (state, raised_at, revision);
        if state != RequestState::Raised {
            request.knock = Knock::None;
        }
        self.open.insert(request.id.clone(), request.clone());
        Some(Report::Request(Box::new(request)))
    }

    /// Takes a request back, if it is open.
    pub fn withdraw(&mut self, id: &RequestId, because: Because) -> Option<Report> {
        let mut request = self.open.remove(id)?;
        self.remember(id);
        (request.state, request.because, request.revision) = (RequestState::Withdrawn, because, request.revision + 1);
        Some(Report::Request(Box::new(request)))
    }

    /// Takes back whatever is open for a stay.
    pub fn withdraw_stay(&mut self, stay: &StayToken, because: &Because) -> Vec<Report> {
        let ids: Vec<RequestId> = self
            .open
            .values()
            .filter(|r| r.stay.as_ref() == Some(stay))
            .map(|r| r.id.clone())
            .collect();
        ids.iter().filter_map(|id| self.withdraw(id, because.clone())).collect()
    }

    /// Takes central's word on one of ours. Returns the request as it now is; none when it is not ours.
    pub fn status(&mut self, now: Moment, notice: &StatusNotice) -> Option<ServiceRequest> {
        let request = self.open.get_mut(&notice.request)?;
        // What was only foreseen becomes a visit when somebody takes it on: from now on sleep can park it.
        if matches!(request.state, RequestState::Staged | RequestState::Offered) {
            request.knock = weight(request.need).2;
        }
        request.state = match notice.status {
            RequestStatus::Accepted => RequestState::Accepted,
            RequestStatus::Assigned => RequestState::Assigned,
            RequestStatus::InProgress => RequestState::InProgress,
            RequestStatus::Done => RequestState::Done,
            RequestStatus::Declined => RequestState::Declined,
        };
        let request = request.clone();
        if request.state.is_over() {
            self.open.remove(&notice.request);
            self.remember(&notice.request);
            let stem = notice.request.as_str().rsplit_once('.').map(|(stem, _)| stem);
            if let Some(stem) = stem.filter(|stem| self.counts.contains_key(*stem)) {
                self.looked.insert(stem.to_owned(), now);
            }
        }
        Some(request)
    }

    /// Lets the time pass: calls late what is late, parks what must not disturb, takes it up again afterwards.
    pub fn advance(&mut self, now: Moment, barred: Option<&'static str>) -> Vec<Report> {
        let mut reports = Vec::new();
        self.open.retain(|_, request| now.since(request.raised_at) < LIFE_MAX);
        self.looked.retain(|_, at| now.since(*at) < LOOKED_FOR);
        for request in self.open.values_mut() {
            let disturbs = request.knock != Knock::None && request.urgency != Urgency::Emergency;
            let is_waiting = matches!(request.state, RequestState::Raised | RequestState::Accepted);
            let to = match (barred, request.state) {
                (Some(rule), _) if disturbs && is_waiting => Some((RequestState::Parked, rule)),
                (None, RequestState::Parked) => Some((RequestState::Raised, "no-longer-barred")),
                _ if is_waiting && request.deadline.is_some_and(|at| at <= now) => {
                    Some((RequestState::Late, "deadline-passed"))
                }
                _ => None,
            };
            if let Some((state, rule)) = to {
                (request.state, request.revision) = (state, request.revision + 1);
                let because = Because::rule(rule).with_some("deadline", request.deadline);
                reports.push(Report::RequestState(StateReport {
                    id: request.id.clone(),
                    room: request.room.clone(),
                    state,
                    revision: request.revision,
                    because,
                }));
            }
        }
        reports
    }

    /// Whether people have looked after a recurring need lately: they are not asked again at once.
    pub fn is_looked_after(&self, stem: &str, now: Moment) -> bool {
        self.looked.get(stem).is_some_and(|at| now.since(*at) < LOOKED_FOR)
    }

    /// Whether people have looked after anything that has not gone since.
    pub fn was_looked_after(&self) -> bool {
        !self.looked.is_empty()
    }

    /// A recurring need is gone: when it comes back, it is a new one.
    pub fn is_gone(&mut self, stem: &str) {
        self.looked.remove(stem);
    }

    /// When a request will be late, or a need that was looked after may be raised again.
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        let waits = |r: &&ServiceRequest| matches!(r.state, RequestState::Raised | RequestState::Accepted);
        self.open
            .values()
            .filter(waits)
            .filter_map(|r| r.deadline)
            .chain(self.looked.values().map(|at| *at + LOOKED_FOR))
            .filter(|at| *at > now)
            .min()
    }

    /// Whether any request is open.
    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The open requests, by id.
    pub fn open(&self) -> impl Iterator<Item = &ServiceRequest> {
        self.open.values()
    }

    /// Returns the id of a need that recurs: the one that is open, else the next number.
    pub fn recurring(&mut self, stem: &str) -> Option<RequestId> {
        let count = self.counts.get(stem).copied().unwrap_or(0);
        let latest = RequestId::new(format!("{stem}.{count}")).ok()?;
        if count > 0 && self.open.contains_key(&latest) {
            return Some(latest);
        }
        self.counts.insert(stem.into(), count + 1);
        RequestId::new(format!("{stem}.{}", count + 1)).ok()
    }

    /// The id under which a recurring need is open now.
    pub fn open_recurring(&self, stem: &str) -> Option<RequestId> {
        let id = RequestId::new(format!("{stem}.{}", self.counts.get(stem)?)).ok()?;
        self.open.contains_key(&id).then_some(id)
    }

    fn remember(&mut self, id: &RequestId) {
        while self.over.len() >= OVER_MAX {
            self.over.pop_front();
        }
        self.over.push_back(id.clone());
    }
}

/// Fills in what follows from the need and the property's catalogue.
fn complete(now: Moment, policies: &Policies, draft: Draft<'_>) -> ServiceRequest {
    let item = draft.items.first();
    let service = service(policies, draft.need, item);
    let (relevance, urgency, knock) = weight(draft.need);
    let visit = draft
        .stay
        .map_or_else(|| draft.room.to_string(), |stay| format!("{}.{stay}", draft.room));
    ServiceRequest {
        id: draft.id,
        need: draft.need,
        room: draft.room.clone(),
        stay: draft.stay.cloned(),
        state: RequestState::Raised,
        items: draft.items,
        department: service.department,
        skill: service.skill,
        revision: 1,
        not_before: draft.not_before,
        deadline: draft.deadline,
        estimate_min: service.estimate_min,
        relevance,
        urgency,
        merge_key: visit,
        knock,
        steps: service.steps,
        hints: draft.hints,
        basis: draft.basis,
        confidence: draft.confidence,
        raised_at: now,
        because: draft.because,
    }
}

fn service(policies: &Policies, need: Need, item: Option<&Item>) -> CallService {
    let name = serde_json::to_value(need)
        .ok()
        .and_then(|v| v.as_str().map(String::from))
        .unwrap_or_default();
    let by_item = item.and_then(|item| policies.services.get(item.as_str()));
    by_item
        .or_else(|| policies.services.get(&name))
        .cloned()
        .unwrap_or_else(|| CallService::usual(need, item))
}

fn weight(need: Need) -> (Relevance, Urgency, Knock) {
    match need {
        Need::Emergency => (Relevance::Must, Urgency::Emergency, Knock::Entry),
        Need::ArrivalItems => (Relevance::High, Urgency::Planned, Knock::Entry),
        Need::Routine => (Relevance::Normal, Urgency::Planned, Knock::Door),
        Need::MakeUpRoom => (Relevance::High, Urgency::Planned, Knock::Entry),
        Need::CannotReach => (Relevance::High, Urgency::Soon, Knock::Entry),
        Need::Welfare => (Relevance::Must, Urgency::Soon, Knock::Door),
        Need::UnsoldOccupied => (Relevance::High, Urgency::Soon, Knock::Door),
        Need::DeviceOffline | Need::Battery | Need::SensorFault => (Relevance::Normal, Urgency::Whenever, Knock::Entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(room: &RoomId, id: &str) -> Draft<'static> {
        let room: &'static RoomId = Box::leak(Box::new(room.clone()));
        Draft {
            id: RequestId::new(id).unwrap(),
            need: Need::Battery,
            room,
            stay: None,
            items: vec![],
            not_before: None,
            deadline: Some(Moment::EARLIEST + Span::hours(1)),
            basis: Basis::Device,
            confidence: 1.0,
            hints: vec![],
            because: Because::rule("test"),
        }
    }

    #[test]
    fn the_same_need_is_raised_once_and_not_again_when_it_is_over() {
        let (mut requests, room, policies) = (Requests::default(), RoomId::new("1204").unwrap(), Policies::default());
        assert!(
            requests
                .raise(Moment::EARLIEST, &policies, draft(&room, "1204.a.1"))
                .is_some()
        );
        assert!(
            requests
                .raise(Moment::EARLIEST, &policies, draft(&room, "1204.a.1"))
                .is_none()
        );
        let done = StatusNotice {
            request: RequestId::new("1204.a.1").unwrap(),
            status: RequestStatus::Done,
            room: None,
            item: None,
            at: None,
            reason: None,
        };
        assert!(requests.status(Moment::EARLIEST, &done).is_some());
        assert!(
            requests
                .raise(Moment::EARLIEST, &policies, draft(&room, "1204.a.1"))
                .is_none()
        );
    }

    #[test]
    fn a_recurring_need_keeps_its_id_while_open_and_takes_the_next_after() {
        let (mut requests, room, policies) = (Requests::default(), RoomId::new("1204").unwrap(), Policies::default());
        let first = requests.recurring("1204.battery").unwrap();
        requests.raise(Moment::EARLIEST, &policies, draft(&room, first.as_str()));
        assert_eq!(requests.recurring("1204.battery"), Some(first.clone()));
        requests.withdraw(&first, Because::rule("test"));
        assert_eq!(requests.recurring("1204.battery").unwrap().as_str(), "1204.battery.2");
    }

    #[test]
    fn what_must_not_disturb_is_parked_and_taken_up_again() {
        let (mut requests, room, policies) = (Requests::default(), RoomId::new("1204").unwrap(), Policies::default());
        requests.raise(Moment::EARLIEST, &policies, draft(&room, "1204.a.1"));
        let state = |reports: Vec<Report>| match reports.first() {
            Some(Report::RequestState(r)) => Some(r.state),
            _ => None,
        };
        assert_eq!(
            state(requests.advance(Moment::EARLIEST, Some("guest-asleep"))),
            Some(RequestState::Parked)
        );
        assert_eq!(
            state(requests.advance(Moment::EARLIEST, None)),
            Some(RequestState::Raised)
        );
        assert_eq!(
            state(requests.advance(Moment::EARLIEST + Span::hours(1), None)),
            Some(RequestState::Late)
        );
    }
}

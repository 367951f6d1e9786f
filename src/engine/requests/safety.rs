//! May someone come to harm, and has anybody answered?
//!
//! Water, smoke and calls for help go out at once and are called again until central has accepted them. When central is
//! silent for some seconds, the call also goes out on the property's own fan-out. Nothing parks or drops an emergency.

use crate::model::{Because, DeviceId, Emergency, Moment, Point, Policies, Report, RequestId, RoomId};
use serde::{Deserialize, Serialize};

/// The points whose "yes" is an emergency.
pub const ALARMS: [Point; 3] = [Point::Leak, Point::Smoke, Point::EmergencyCall];
/// A room has no more of them at once; the first ones are what matters.
const CALLS_MAX: usize = 16;

/// One emergency that lasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Call {
    id: RequestId,
    device: DeviceId,
    cause: Point,
    since: Moment,
    calls: u32,
    again_at: Option<Moment>,
    went_local: bool,
}

/// The emergencies of one room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Safety {
    calls: Vec<Call>,
    count: u32,
}

impl Safety {
    /// A device says that there is, or is no longer, an emergency.
    pub fn alarm(
        &mut self,
        now: Moment,
        policies: &Policies,
        room: &RoomId,
        device: &DeviceId,
        cause: Point,
        on: bool,
    ) -> Option<Report> {
        let place = self
            .calls
            .iter()
            .position(|call| call.device == *device && call.cause == cause);
        match (on, place) {
            (true, None) if self.calls.len() < CALLS_MAX => self.begin(now, policies, room, device, cause),
            (false, Some(place)) => {
                let call = self.calls.remove(place);
                Some(call.report(room, true, false, Because::rule("alarm-is-over").with("device", device)))
            }
            _ => None,
        }
    }

    /// Calls again where nobody has answered.
    pub fn advance(&mut self, now: Moment, policies: &Policies, room: &RoomId) -> Vec<Report> {
        let mut reports = Vec::new();
        for call in self
            .calls
            .iter_mut()
            .filter(|call| call.again_at.is_some_and(|at| at <= now))
        {
            let local = !call.went_local;
            call.went_local = true;
            call.calls += 1;
            call.again_at = Some(now + policies.emergency_repeat);
            let because = Because::rule("nobody-has-answered")
                .with("since", call.since)
                .with("device", &call.device);
            reports.push(call.report(room, false, local, because));
        }
        reports
    }

    /// Central has taken it on, or done it: no more calls. Returns whether it was one of these.
    pub fn answered(&mut self, id: &RequestId) -> bool {
        let call = self.calls.iter_mut().find(|call| call.id == *id);
        call.map(|call| call.again_at = None).is_some()
    }

    /// When to call again.
    pub fn deadline(&self) -> Option<Moment> {
        self.calls.iter().filter_map(|call| call.again_at).min()
    }

    fn begin(
        &mut self,
        now: Moment,
        policies: &Policies,
        room: &RoomId,
        device: &DeviceId,
        cause: Point,
    ) -> Option<Report> {
        let id = RequestId::new(format!("{room}.{device}.{}.{}", cause.name(), self.count + 1)).ok()?;
        self.count += 1;
        let again_at = Some(now + policies.emergency_local_after);
        let call = Call {
            id,
            device: device.clone(),
            cause,
            since: now,
            calls: 1,
            again_at,
            went_local: false,
        };
        let report = call.report(
            room,
            false,
            false,
            Because::rule("device-raises-alarm")
                .with("device", device)
                .with("point", cause),
        );
        self.calls.push(call);
        Some(report)
    }
}

impl Call {
    fn report(&self, room: &RoomId, over: bool, local: bool, because: Because) -> Report {
        let (id, cause, since, call) = (self.id.clone(), self.cause, self.since, self.calls);
        Report::Emergency(Emergency {
            id,
            room: room.clone(),
            cause,
            since,
            call,
            over,
            local,
            because,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    #[test]
    fn an_emergency_is_called_again_until_it_is_answered() {
        let (mut safety, policies) = (Safety::default(), Policies::default());
        let (room, device, t0) = (
            RoomId::new("1204").unwrap(),
            DeviceId::new("leak-1").unwrap(),
            Moment::EARLIEST,
        );
        assert!(safety.alarm(t0, &policies, &room, &device, Point::Leak, true).is_some());
        assert!(safety.alarm(t0, &policies, &room, &device, Point::Leak, true).is_none());
        let first = safety.advance(t0 + Span::seconds(5), &policies, &room);
        let Some(Report::Emergency(call)) = first.first() else {
            panic!()
        };
        assert!(call.local && call.call == 2);
        assert_eq!(safety.advance(t0 + Span::seconds(65), &policies, &room).len(), 1);
        assert!(safety.answered(&call.id));
        assert_eq!(safety.deadline(), None);
    }
}

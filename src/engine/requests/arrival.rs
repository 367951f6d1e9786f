//! What must be placed in the room before this guest arrives?

use super::Draft;
use crate::engine::preference::Guest;
use crate::engine::stay::Stay;
use crate::model::{Basis, Because, Item, Moment, Need, Policies, RequestId, RoomId};

/// When things are to be asked for.
pub fn due_at(policies: &Policies, stay: &Stay) -> Option<Moment> {
    Some(stay.eta? - policies.arrival.items_before)
}

/// The request for what this stay needs placed, if anything. Booking, earlier stays and what is `liked` are put together.
pub fn draft<'a>(room: &'a RoomId, stay: &'a Stay, guest: Option<&Guest>, liked: Option<Item>) -> Option<Draft<'a>> {
    let mut items: Vec<Item> = stay
        .items
        .iter()
        .chain(guest.iter().flat_map(|g| &g.items))
        .cloned()
        .chain(liked)
        .collect();
    items.sort();
    items.dedup();
    let id = RequestId::new(format!("{room}.{}.arrival-items", stay.token)).ok()?;
    let names: Vec<&str> = items.iter().map(Item::as_str).collect();
    let because = Because::rule("arrival-items")
        .with_some("eta", stay.eta)
        .with("items", names.join(" "));
    (!items.is_empty()).then_some(Draft {
        id,
        need: Need::ArrivalItems,
        room,
        stay: Some(&stay.token),
        items,
        not_before: None,
        deadline: stay.eta,
        basis: Basis::Prior,
        confidence: 1.0,
        hints: guest
            .iter()
            .flat_map(|g| &g.must_have)
            .map(|item| format!("must-have:{item}"))
            .collect(),
        because,
    })
}

//! What may a person type to the reference central?

use super::super::strict;
use crate::model::{Prior, PropertyId, RequestId, RequestStatus, StatusNotice, StayNotice};

/// What was typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Speak to this property from now on.
    Property(PropertyId),
    /// Tell of a stay.
    Stay(StayNotice),
    /// Tell of a guest.
    Prior(Prior),
    /// Tell of a request.
    Status(StatusNotice),
    /// Print the figures.
    Summary,
    /// End.
    Quit,
}

/// What can be typed, to be shown.
pub const HELP: &str = "\
stay {\"stay\":\"5b1e...\",\"version\":1,\"status\":\"reserved\",\"room\":\"1204\"}
prior {\"guest\":\"7f3a...\",\"stays\":[]}
status REQUEST accepted|assigned|in_progress|done|declined [REASON]
property NAME | summary | quit";

/// Reads one line.
///
/// # Errors
/// What to write instead.
pub fn parse(line: &str) -> Result<Command, String> {
    let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let rest = rest.trim();
    match word {
        "property" => PropertyId::new(rest)
            .map(Command::Property)
            .map_err(|fault| fault.to_string()),
        "stay" => json(rest).map(Command::Stay),
        "prior" => json(rest).map(Command::Prior),
        "status" => status(rest).map(Command::Status),
        "summary" => Ok(Command::Summary),
        "quit" => Ok(Command::Quit),
        _ if word.starts_with('{') => bare(line.trim()),
        _ => Err(format!("write one of:\n{HELP}")),
    }
}

/// A line of bare JSON is a stay if it says how far one has come, and a prior otherwise.
fn bare(text: &str) -> Result<Command, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|fault| format!("no JSON: {fault}"))?;
    if value.get("status").is_some() {
        json(text).map(Command::Stay)
    } else {
        json(text).map(Command::Prior)
    }
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    strict::read(text.as_bytes()).map_err(|fault| fault.to_string())
}

fn status(text: &str) -> Result<StatusNotice, String> {
    let mut words = text.split_whitespace();
    let request = RequestId::new(words.next().unwrap_or_default()).map_err(|fault| fault.to_string())?;
    let status = match words.next() {
        Some("accepted") => RequestStatus::Accepted,
        Some("assigned") => RequestStatus::Assigned,
        Some("in_progress") => RequestStatus::InProgress,
        Some("done") => RequestStatus::Done,
        Some("declined") => RequestStatus::Declined,
        _ => return Err("write accepted, assigned, in_progress, done or declined after the request".into()),
    };
    let reason = words.next().map(String::from);
    Ok(StatusNotice {
        request,
        status,
        room: None,
        item: None,
        at: None,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands_or_are_told_what_to_be() {
        assert_eq!(parse(" quit "), Ok(Command::Quit));
        assert!(matches!(parse("status 1204.a declined kitchen.closed"), Ok(Command::Status(s)) if s.reason.is_some()));
        assert!(matches!(parse(r#"{"guest":"7f3a9c1e"}"#), Ok(Command::Prior(_))));
        let stay = r#"{"stay":"5b1e0c77","version":1,"status":"reserved"}"#;
        assert!(matches!(parse(stay), Ok(Command::Stay(_))));
        assert!(matches!(parse(&format!("stay {stay}")), Ok(Command::Stay(_))));
        assert!(parse("stay {}").unwrap_err().contains("missing_field"));
        assert!(parse("dance").unwrap_err().contains("status REQUEST"));
    }
}

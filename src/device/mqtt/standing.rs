//! Is the link up, and if not, because of which part of it?

/// What a link needs to be up.
#[derive(Debug, Default)]
pub(super) struct Parts {
    hearing: Option<Result<(), String>>,
    telling: Option<Result<(), String>>,
    /// The bridges that said they are away, by their topic.
    away: Vec<String>,
    told: Option<Part>,
}

/// What decides whether the link is up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Nothing,
    Hearing,
    Telling,
    Bridge(String),
}

impl Parts {
    /// Notes whether messages can be heard. What bridges said on an ended session is forgotten: the broker tells it again
    /// if it still stands, and a broker that lost it must not keep a bridge away for ever.
    pub fn hearing(&mut self, state: Result<(), String>) {
        if state.is_err() {
            self.away.clear();
        }
        self.hearing = Some(state);
    }

    /// Notes whether commands can be told.
    pub fn telling(&mut self, state: Result<(), String>) {
        self.telling = Some(state);
    }

    /// Notes what a bridge says of itself.
    pub fn bridge(&mut self, topic: &str, is_there: bool) {
        self.away.retain(|away| away != topic);
        if !is_there {
            self.away.push(topic.to_owned());
        }
    }

    /// Whether the bridge of this topic said that it is away.
    pub fn is_away(&self, topic: &str) -> bool {
        self.away.iter().any(|away| away == topic)
    }

    /// Whether messages can be heard and commands told, bridges aside.
    pub fn is_connected(&self) -> bool {
        matches!((&self.hearing, &self.telling), (Some(Ok(())), Some(Ok(()))))
    }

    /// Returns whether the link is up and why, when that is news. Attempts that fail again for the same part are none.
    pub fn news(&mut self) -> Option<(bool, String)> {
        let (part, because) = self.verdict()?;
        if self.told.as_ref() == Some(&part) {
            return None;
        }
        let is_up = part == Part::Nothing;
        self.told = Some(part);
        Some((is_up, because))
    }

    fn verdict(&self) -> Option<(Part, String)> {
        match (&self.hearing, &self.telling, self.away.first()) {
            (Some(Err(because)), _, _) => Some((Part::Hearing, because.clone())),
            (_, Some(Err(because)), _) => Some((Part::Telling, format!("commands: {because}"))),
            (Some(Ok(())), Some(Ok(())), Some(topic)) => Some((
                Part::Bridge(topic.clone()),
                format!("the bridge says on {topic} that it is away"),
            )),
            (Some(Ok(())), Some(Ok(())), None) => Some((Part::Nothing, "connected".into())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_up_when_all_of_it_is_and_news_comes_once() {
        let mut parts = Parts::default();
        parts.hearing(Ok(()));
        assert_eq!(parts.news(), None, "whether commands get through is not known yet");
        parts.telling(Ok(()));
        assert_eq!(parts.news(), Some((true, "connected".into())));
        parts.bridge("z/bridge/state", false);
        assert!(!parts.news().unwrap().0);
        assert_eq!(parts.news(), None);
        parts.bridge("z/bridge/state", true);
        assert!(parts.news().unwrap().0);
        parts.hearing(Err("unreachable".into()));
        assert_eq!(parts.news(), Some((false, "unreachable".into())));
        parts.hearing(Err("still unreachable".into()));
        assert_eq!(parts.news(), None);
    }
}

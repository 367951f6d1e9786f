//! Which of the words that would have been right did the writer probably mean?

/// The longest word that is compared; what is longer is no slip of the pen.
const WORD_CHARS_MAX: usize = 64;

/// Returns the known word nearest to what was written, when it is near enough to be what was meant: a third of the
/// letters may differ, a swapped pair counts once.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let limit = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (distance(&written, &word.to_lowercase()), word))
        .filter(|(far, word)| *far <= limit || holds_whole(word, &written))
        .min_by_key(|(far, word)| (*far, *word))
        .map(|(_, word)| word)
}

/// Returns the help text that goes with an unknown word: the nearest known one, or the whole list when it is short.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(written, known.iter().copied()) {
        Some(word) => format!("did you mean {word:?}?"),
        None if known.is_empty() => String::new(),
        None => format!("write one of {}", listed(&known)),
    }
}

/// The words, quoted and joined; a long list is cut.
pub(super) fn listed(words: &[&str]) -> String {
    const SHOWN_MAX: usize = 60;
    let mut text = words
        .iter()
        .take(SHOWN_MAX)
        .map(|w| format!("{w:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    if words.len() > SHOWN_MAX {
        text.push_str(", ...");
    }
    text
}

/// Whether one word holds the other as a whole part (`temperature` in `room_temperature`).
fn holds_whole(word: &str, written: &str) -> bool {
    written.len() >= 4 && word.split(['_', '-']).any(|part| part == written)
}

/// How many letters must be changed, added, dropped or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > WORD_CHARS_MAX || b.len() > WORD_CHARS_MAX {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_word() {
        let known = ["room_temperature", "target_temperature", "battery", "open"];
        assert_eq!(nearest("batery", known), Some("battery"));
        assert_eq!(nearest("room_temprature", known), Some("room_temperature"));
        assert_eq!(nearest("opne", known), Some("open"));
        assert_eq!(nearest("xyz", known), None);
        assert!(nearest("temperature", known).is_some());
    }

    #[test]
    fn what_is_like_nothing_is_told_the_list() {
        assert_eq!(did_you_mean("zzzz", ["rtu", "tcp"]), r#"write one of "rtu", "tcp""#);
    }
}

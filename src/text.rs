//! Words for people: numbers with their nouns, times, and which characters of somebody else's text could
//! act on a terminal or mislead a reader. Knows nobody who shows it.

/// Tells whether a character controls something or turns the direction of others, and so must be made
/// visible.
#[must_use]
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// Returns `1 tenant`, `2 tenants`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns `1 object`, `2 objects`.
#[must_use]
pub fn count_objects(number: u64) -> String {
    if number == 1 { "1 object".into() } else { format!("{number} objects") }
}

/// Returns `12 s`, `3 min 5 s`, `2 h 4 min`; parts of a second are left out.
#[must_use]
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

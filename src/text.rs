//! Text from elsewhere: what in it could act on a terminal or mislead a reader. Knows nobody who shows
//! it.

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

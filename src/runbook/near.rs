//! What somebody meant who misspelt a name.

/// Returns the name that is nearest to `word`, where one is near enough.
pub(super) fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(|name| (strsim::damerau_levenshtein(name, word), name))
        // Of what has one letter any other is as near.
        .filter(|(distance, _)| *distance <= word.len() / 3 + 1 && *distance < word.len())
        .min()
        .map(|(_, name)| name)
}

//! Times of a journal, and what lies between two, in words.

use crate::text::duration;

/// Returns a journal's time as people read it; what is no time, as it is.
pub(super) fn moment(time: &str) -> String {
    time.parse::<jiff::Timestamp>()
        .map_or_else(|_| time.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Returns the time of day of a journal's time.
pub(super) fn clock(time: &str) -> String {
    time.parse::<jiff::Timestamp>()
        .map_or_else(|_| time.to_owned(), |time| time.strftime("%H:%M:%S").to_string())
}

/// Returns the milliseconds between two times.
pub(super) fn between(from: &str, to: &str) -> Option<u64> {
    let milliseconds = |time: &str| Some(time.parse::<jiff::Timestamp>().ok()?.as_millisecond());
    u64::try_from(milliseconds(to)?.checked_sub(milliseconds(from)?)?).ok()
}

/// Returns how long something took, where that is worth telling: below ten seconds with tenths.
pub(super) fn took(milliseconds: u64) -> Option<String> {
    match milliseconds {
        0..100 => None,
        100..10_000 => Some(format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)),
        _ => Some(duration(milliseconds)),
    }
}

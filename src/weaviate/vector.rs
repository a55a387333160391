//! The vectors of an object in one of two forms: as numbers, the way REST shows and takes them, or as text
//! with their bytes (32-bit floats, little-endian, in base64), a third as long and read in no time. A
//! multi-vector is a list of vectors in either form.
//!
//! Between the two nothing is lost: a server shows a float in the fewest digits that tell it from any other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::message::{VectorType, Vectors};

/// Where REST ends an object without vectors.
const END: &str = r#","vectorWeights":null}"#;

/// What is called `vector`, or one of `vectors`.
enum Vector {
    One(Vec<u8>),
    Several(Vec<Vec<u8>>),
}

impl Vector {
    /// Reads either form; `None` where it is neither.
    fn read(value: &str) -> Option<Self> {
        let is_list_of_vectors =
            value.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['[', '"']));
        if !is_list_of_vectors {
            return floats(value).map(Self::One);
        }
        let each: Vec<&RawValue> = serde_json::from_str(value).ok()?;
        each.into_iter().map(|one| floats(one.get())).collect::<Option<_>>().map(Self::Several)
    }

    fn as_bytes(&self) -> Option<Box<RawValue>> {
        let text = match self {
            Self::One(floats) => to_raw_value(&BASE64.encode(floats)),
            Self::Several(each) => {
                to_raw_value(&each.iter().map(|one| BASE64.encode(one)).collect::<Vec<_>>())
            }
        };
        text.ok()
    }

    fn as_numbers(&self) -> Option<Box<RawValue>> {
        let text = match self {
            Self::One(floats) => numbers(floats)?,
            Self::Several(each) => {
                let each: Vec<String> =
                    each.iter().map(|one| numbers(one)).collect::<Option<_>>()?;
                format!("[{}]", each.join(","))
            }
        };
        RawValue::from_string(text).ok()
    }

    /// Returns it as a message; `None` where the server's message does not hold such a one.
    fn carried(self, name: &str) -> Option<Vectors> {
        let (r#type, bytes) = match self {
            Self::One(floats) => (VectorType::Single, floats),
            Self::Several(each) => {
                let length = each.first()?.len();
                let dimensions = u16::try_from(length / 4).ok().filter(|it| *it > 0)?;
                if each.iter().any(|one| one.len() != length) {
                    return None;
                }
                let mut bytes = dimensions.to_le_bytes().to_vec();
                bytes.extend(each.into_iter().flatten());
                (VectorType::Multi, bytes)
            }
        };
        Some(Vectors { name: name.into(), vector_bytes: bytes.into(), r#type: r#type.into() })
    }
}

/// Reads one vector as its bytes.
fn floats(value: &str) -> Option<Vec<u8>> {
    if let Some(text) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return BASE64.decode(text.as_bytes()).ok().filter(|it| it.len().is_multiple_of(4));
    }
    let numbers: Vec<f32> = serde_json::from_str(value).ok()?;
    numbers
        .iter()
        .all(|it| it.is_finite())
        .then(|| numbers.into_iter().flat_map(f32::to_le_bytes).collect())
}

/// Writes one vector as a server shows it: a whole number without a fraction. `None` where one is no number.
fn numbers(floats: &[u8]) -> Option<String> {
    let (each, _) = floats.as_chunks();
    let mut text = Vec::with_capacity(12 * each.len() + 2);
    for (at, bytes) in each.iter().enumerate() {
        text.push(if at == 0 { b'[' } else { b',' });
        let float = f32::from_le_bytes(*bytes);
        if !float.is_finite() {
            return None;
        }
        serde_json::to_writer(&mut text, &float).ok()?;
        if text.ends_with(b".0") {
            text.truncate(text.len() - 2);
        }
    }
    text.extend_from_slice(if each.is_empty() { b"[]" } else { b"]" });
    String::from_utf8(text).ok()
}

/// Returns an object that has no vectors with these, as bytes; `None` where they are not as they should
/// be.
pub(crate) fn with_vectors(
    object: &RawValue,
    single: &[u8],
    mut named: Vec<Vectors>,
) -> Option<Box<RawValue>> {
    if single.is_empty() && named.is_empty() {
        return Some(object.to_owned());
    }
    let text = object.get();
    let (object, weights) = match text.strip_suffix(END) {
        Some(object) => (object, &END[..END.len() - 1]),
        None => (text.strip_suffix('}')?, ""),
    };
    let bytes = single.len() + named.iter().map(|it| it.vector_bytes.len()).sum::<usize>();
    let mut with = String::with_capacity(text.len() + bytes / 3 * 4 + 64 * (1 + named.len()));
    // In the order in which REST shows them, so that equal objects are equal texts.
    with.push_str(object);
    if !single.is_empty() {
        with.push_str(",\"vector\":");
        push(&mut with, single)?;
    }
    with.push_str(weights);
    named.sort_by(|one, other| one.name.cmp(&other.name));
    for (at, vector) in named.iter().enumerate() {
        with.push_str(if at == 0 { ",\"vectors\":{" } else { "," });
        with.push_str(&serde_json::to_string(&vector.name).ok()?);
        with.push(':');
        match vector.r#type() {
            VectorType::Multi => push_several(&mut with, &vector.vector_bytes)?,
            VectorType::Single | VectorType::Unspecified => push(&mut with, &vector.vector_bytes)?,
        }
    }
    with.push_str(if named.is_empty() { "}" } else { "}}" });
    RawValue::from_string(with).ok()
}

fn push(text: &mut String, floats: &[u8]) -> Option<()> {
    if !floats.len().is_multiple_of(4) {
        return None;
    }
    text.push('"');
    BASE64.encode_append(floats, text);
    text.push('"');
    Some(())
}

fn push_several(text: &mut String, bytes: &[u8]) -> Option<()> {
    let (dimensions, bytes) = bytes.split_first_chunk()?;
    let each = usize::from(u16::from_le_bytes(*dimensions)) * 4;
    if each == 0 || bytes.is_empty() || !bytes.len().is_multiple_of(each) {
        return None;
    }
    for (at, floats) in bytes.chunks(each).enumerate() {
        text.push(if at == 0 { '[' } else { ',' });
        push(text, floats)?;
    }
    text.push(']');
    Some(())
}

/// Tells whether an object seems to have vectors, as numbers.
#[must_use]
pub(super) fn has_vectors(object: &RawValue) -> bool {
    let text = object.get();
    text.contains("\"vector\":[") || text.contains("\"vectors\":{\"")
}

/// Returns an object with its vectors as bytes. What is no vector stays as it is, as all else does.
#[must_use]
pub fn as_bytes(object: &RawValue) -> Cow<'_, RawValue> {
    changed(object, |value| !is_bytes(value), |vector| vector.as_bytes())
}

/// Returns an object with its vectors as numbers, as REST takes them.
#[must_use]
pub(crate) fn as_numbers(object: &RawValue) -> Cow<'_, RawValue> {
    changed(object, is_bytes, |vector| vector.as_numbers())
}

/// The vectors in the text of an object.
#[derive(Deserialize)]
pub(super) struct Shown<'a> {
    #[serde(borrow, default)]
    pub(super) vector: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) vectors: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
}

/// Returns the vectors of an object, as [`Shown::carried`] does.
pub(crate) fn carried(object: &RawValue) -> Option<(Vec<u8>, Vec<Vectors>)> {
    serde_json::from_str::<Shown>(object.get()).ok()?.carried()
}

impl Shown<'_> {
    /// Returns the vector without a name, empty where there is none, and the named ones; `None` where a
    /// message does not hold them.
    pub(super) fn carried(&self) -> Option<(Vec<u8>, Vec<Vectors>)> {
        let single = match self.vector.map(|vector| Vector::read(vector.get())) {
            None => vec![],
            Some(Some(Vector::One(floats))) => floats,
            Some(_) => return None,
        };
        let named = self.vectors.iter().flatten();
        let named = named.map(|(name, vector)| Vector::read(vector.get())?.carried(name));
        Some((single, named.collect::<Option<_>>()?))
    }
}

/// Tells in which form a vector is.
fn is_bytes(value: &str) -> bool {
    value.contains('"')
}

fn changed(
    object: &RawValue,
    is_other: impl Fn(&str) -> bool,
    form: impl Fn(Vector) -> Option<Box<RawValue>>,
) -> Cow<'_, RawValue> {
    let text = object.get();
    let change = || -> Option<Box<RawValue>> {
        let Shown { vector, vectors } = serde_json::from_str(text).ok()?;
        let mut each: Vec<&RawValue> =
            vectors.into_iter().flat_map(BTreeMap::into_values).collect();
        each.extend(vector);
        // In the order of the text, of which each is a part.
        each.sort_by_key(|value| value.get().as_ptr());
        let mut changed = String::with_capacity(text.len());
        let mut done = 0;
        for value in each {
            let at = value.get().as_ptr().addr() - text.as_ptr().addr();
            if is_other(value.get())
                && let Some(other) = Vector::read(value.get()).and_then(&form)
            {
                changed.push_str(&text[done..at]);
                changed.push_str(other.get());
                done = at + value.get().len();
            }
        }
        changed.push_str(&text[done..]);
        RawValue::from_string(changed).ok()
    };
    change().map_or(Cow::Borrowed(object), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("is JSON")
    }

    /// As a server shows them: in the fewest digits that tell a float from any other.
    #[test]
    fn numbers_and_bytes_are_the_same_floats() {
        let shown = r#"{"class":"A","id":"x","properties":{"vector":[1],"n":1.10},"vector":[0.1,-0.0,3e-45,3.4028235e+38,16777216],"vectorWeights":null,"vectors":{"a":[0.70841293,1],"m":[[0.5,0.25],[1e-10,2]]}}"#;
        let shown = raw(shown);
        let bytes = as_bytes(&shown);
        assert!(
            bytes.get().starts_with(
                r#"{"class":"A","id":"x","properties":{"vector":[1],"n":1.10},"vector":"zczMPQ"#
            ),
            "{bytes}"
        );
        assert!(bytes.get().contains(r#""m":["AAAAPwAAgD4=",""#), "{bytes}");
        assert_eq!(as_bytes(&bytes).get(), bytes.get());
        let again = as_numbers(&bytes);
        let Shown { vector, vectors } = serde_json::from_str(again.get()).expect("works");
        let vector: Vec<f32> =
            serde_json::from_str(vector.expect("it is there").get()).expect("works");
        let bits = |floats: &[f32]| floats.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&vector), bits(&[0.1, -0.0, 3e-45, f32::MAX, 16_777_216.0]));
        assert_eq!(vectors.expect("they are there")["m"].get(), "[[0.5,0.25],[1e-10,2]]");
        assert_eq!(as_bytes(&again).get(), bytes.get());
    }

    /// What a message carries comes back as the text that it was.
    #[test]
    fn a_message_carries_them() {
        let bare = raw(r#"{"id":"x","properties":{},"vectorWeights":null}"#);
        let text = r#"{"id":"x","properties":{},"vector":[1.5],"vectorWeights":null,"vectors":{"b":[[1,2],[3,4]],"a":[0.1]}}"#;
        let text = raw(text);
        let shown: Shown = serde_json::from_str(text.get()).expect("works");
        let (single, named) = shown.carried().expect("a message holds them");
        let with = with_vectors(&bare, &single, named).expect("works");
        assert_eq!(
            as_numbers(&with).get(),
            r#"{"id":"x","properties":{},"vector":[1.5],"vectorWeights":null,"vectors":{"a":[0.1],"b":[[1,2],[3,4]]}}"#
        );
        assert_eq!(with_vectors(&bare, &[], vec![]).expect("works").get(), bare.get());
        let old = raw(r#"{"id":"x","properties":{}}"#);
        let with = with_vectors(&old, &single, vec![]).expect("works");
        assert_eq!(with.get(), r#"{"id":"x","properties":{},"vector":"AADAPw=="}"#);
    }

    /// What can't be carried is told, and nothing of it is changed.
    #[test]
    fn what_is_no_vector() {
        for text in [
            r#"{"id":"x","vector":"not base64"}"#,
            r#"{"id":"x","vector":"AAA="}"#,
            r#"{"id":"x","vector":[1e99]}"#,
            r#"{"id":"x","vectors":{"m":[[1,2],[3]]}}"#,
            r#"{"id":"x","vectors":{"m":[[]]}}"#,
            r#"{"id":"x","vectors":{"a":{}}}"#,
            r#"{"id":"x","vector":["a"]}"#,
        ] {
            let object = raw(text);
            let shown: Shown = serde_json::from_str(text).expect("is JSON");
            assert!(shown.carried().is_none(), "{text}");
            if !text.contains("[[") {
                assert_eq!(as_bytes(&object).get(), text);
            }
        }
        let none: Shown =
            serde_json::from_str(r#"{"id":"x","vector":null,"vectors":null}"#).expect("works");
        assert!(
            none.carried().is_some_and(|(single, named)| single.is_empty() && named.is_empty())
        );
        let bare = raw(r#"{"id":"x","properties":{}}"#);
        assert!(with_vectors(&bare, &[0; 3], vec![]).is_none());
        for bytes in [&[][..], &[0, 0], &[1, 0], &[1, 0, 1, 2, 3], &[2, 0, 1, 2, 3, 4]] {
            let multi = Vectors {
                name: "m".into(),
                vector_bytes: bytes.to_vec().into(),
                r#type: VectorType::Multi.into(),
            };
            assert!(with_vectors(&bare, &[], vec![multi]).is_none(), "{bytes:?}");
        }
    }
}

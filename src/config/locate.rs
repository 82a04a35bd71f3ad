//! Key path to line: walks the YAML text along the path and stops there with an error of its own,
//! so that the YAML parser itself tells the place. One walk for each fault, none for a good file.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::key_path::{KeyPath, Step};

/// Line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The place of the key (not of its value) or of the list item; of the nearest one around it
/// where the file has no such key. `None` only for a text that is no YAML.
pub(super) fn locate(text: &str, path: &KeyPath) -> Option<Position> {
    let steps = path.steps();
    (0..=steps.len()).rev().find_map(|depth| walk(text, &steps[..depth]))
}

fn walk(text: &str, steps: &[Step]) -> Option<Position> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    let place = Walk { steps }.deserialize(document).err()?.location()?;
    Some(Position { line: place.line(), column: place.column() })
}

/// Fails at the end of the steps; succeeds when they lead nowhere.
struct Walk<'s> {
    steps: &'s [Step],
}

/// Fails at the key when it is the one to stop at; says otherwise whether it has the name.
struct Probe<'s> {
    name: &'s str,
    stop: bool,
}

fn arrived<E: Error>() -> E {
    E::custom("arrived")
}

// === impl Walk ===

impl Walk<'_> {
    fn at_scalar<E: Error>(&self) -> Result<(), E> {
        if self.steps.is_empty() { Err(arrived()) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.steps.split_first() else {
            return Err(arrived());
        };
        let mut seen = 0;
        while let Some(same) = map.next_key_seed(match first {
            Step::Key { name, nth } => Probe { name, stop: rest.is_empty() && seen == *nth },
            Step::Item(_) => Probe { name: "", stop: false },
        })? {
            if same && seen == 0 && !rest.is_empty() {
                map.next_value_seed(Walk { steps: rest })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            seen += usize::from(same);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.steps.split_first() else {
            return Err(arrived());
        };
        if let Step::Item(index) = first {
            for _ in 0..*index {
                seq.next_element::<IgnoredAny>()?;
            }
            seq.next_element_seed(Walk { steps: rest })?;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.at_scalar()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.at_scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.at_scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.at_scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.at_scalar()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.at_scalar()
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.at_scalar()
    }
}

// === impl Probe ===

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        let same = key == self.name;
        if same && self.stop { Err(arrived()) } else { Ok(same) }
    }
}

#[cfg(test)]
mod tests;

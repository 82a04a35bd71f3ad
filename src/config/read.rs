//! Tree to [`File`]: a serde deserializer that does not stop at a fault. It notes the fault at
//! its key, leaves that key out and reads on. Whatever error it returns is on record already.

use std::{collections::HashMap, fmt, iter::Enumerate, slice, vec};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    file::File,
    findings::At,
    nearest::{did_you_mean, nearest},
    tree::Node,
};

/// `None` when the file is no section at all.
pub(super) fn read(top: &Node, at: &At<'_>) -> Option<File> {
    File::deserialize(Reader { node: top, at: at.clone() }).ok()
}

/// Reads one value.
struct Reader<'n> {
    node: &'n Node,
    at: At<'n>,
}

/// What serde's side asked for; of use only until the reader has put it on record.
#[derive(Debug)]
struct NotRead {
    wanted: String,
}

impl std::error::Error for NotRead {}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wanted)
    }
}

impl serde::de::Error for NotRead {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { wanted: message.to_string() }
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, wanted: &dyn serde::de::Expected) -> Self {
        Self { wanted: wanted.to_string() }
    }
}

// === impl Reader ===

impl<'n> Reader<'n> {
    fn refuse<T>(&self, wanted: &str, fix: &str) -> Result<T, NotRead> {
        match self.node {
            Node::Null => self.at.fault("has no value", format!("{fix}, or remove it")),
            node => self.at.fault(format!("must be {wanted}, not {}", node.describe()), fix),
        }
        Err(NotRead { wanted: wanted.to_owned() })
    }

    /// The entries of a section, without repeats. An empty `key:` is a section without keys.
    fn entries(&self, fix: &str) -> Result<Vec<(&'n str, &'n Node)>, NotRead> {
        let entries = match self.node {
            Node::Section(entries) => entries.as_slice(),
            Node::Null => &[],
            _ => return self.refuse("a section of keys", fix),
        };
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut first = Vec::with_capacity(entries.len());
        for (name, node) in entries {
            let seen = counts.entry(name).or_default();
            match *seen {
                0 => first.push((name.as_str(), node)),
                nth => self
                    .at
                    .repeated_key(name, nth)
                    .fault("this key stands here already", "remove one of the two"),
            }
            *seen += 1;
        }
        Ok(first)
    }

    fn unknown_key(&self, name: &str, known: &[&str]) {
        if let Some(meant) = nearest(name, known) {
            self.at.key(meant).note_meant();
        }
        let hint = did_you_mean(name, known);
        let fix = format!("{hint}Known keys here: {}", known.join(", "));
        self.at.key(name).fault("unknown key", fix);
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = NotRead;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        let at = self.at.clone();
        let read = match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Whole(number) => visitor.visit_u64(*number),
            Node::Odd(number) => visitor.visit_str(number),
            Node::Text(text) => visitor.visit_str(text),
            Node::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate(), at }),
            Node::Section(_) => visitor.visit_map(Entries::new(Vec::new(), at)),
        };
        read.or_else(|NotRead { wanted }| self.refuse(&wanted, "see conf/reference.yaml"))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        match self.node {
            Node::Bool(value) => visitor.visit_bool(*value),
            _ => self.refuse("true or false", "write true or false, without quotes"),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        match self.node {
            Node::Whole(number) => visitor.visit_u64(*number),
            _ => self.refuse("a whole number", "write digits only, without quotes"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        match self.node {
            Node::Text(text) => visitor.visit_str(text),
            Node::List(_) | Node::Section(_) => self.refuse("one text", "write a single value"),
            Node::Null => self.refuse("a text", "write one"),
            Node::Bool(_) | Node::Whole(_) | Node::Odd(_) => {
                self.refuse("a text", "put it in quotes")
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        match self.node {
            Node::List(items) => {
                visitor.visit_seq(Items { items: items.iter().enumerate(), at: self.at })
            }
            Node::Section(_) => self.refuse("a list", "begin each item with '- '"),
            _ => self.refuse("a list", "write it in brackets, or each item after '- '"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        let entries = self.entries("write one 'name:' for each, with its keys below it")?;
        visitor.visit_map(Entries::new(entries, self.at))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotRead> {
        let mut entries =
            self.entries(&format!("write keys below it. Known keys here: {}", known.join(", ")))?;
        entries.retain(|(name, _)| {
            let is_known = known.contains(name);
            if !is_known {
                self.unknown_key(name, known);
            }
            is_known
        });
        visitor.visit_map(Entries::new(entries, self.at))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str bytes byte_buf option unit
        unit_struct newtype_struct tuple tuple_struct enum identifier ignored_any
    }
}

// === lists and sections ===

struct Items<'n> {
    items: Enumerate<slice::Iter<'n, Node>>,
    at: At<'n>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = NotRead;

    fn next_element_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, NotRead>
    where
        S: DeserializeSeed<'de>,
    {
        let next = self.items.next();
        next.map(|(index, node)| seed.deserialize(Reader { node, at: self.at.item(index) }))
            .transpose()
    }
}

struct Entries<'n> {
    rest: vec::IntoIter<(&'n str, &'n Node)>,
    value: Option<Reader<'n>>,
    at: At<'n>,
}

impl<'n> Entries<'n> {
    fn new(entries: Vec<(&'n str, &'n Node)>, at: At<'n>) -> Self {
        Self { rest: entries.into_iter(), value: None, at }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = NotRead;

    fn next_key_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, NotRead>
    where
        S: DeserializeSeed<'de>,
    {
        let Some((name, node)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(Reader { node, at: self.at.key(name) });
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S>(&mut self, seed: S) -> Result<S::Value, NotRead>
    where
        S: DeserializeSeed<'de>,
    {
        match self.value.take() {
            Some(reader) => seed.deserialize(reader),
            None => Err(serde::de::Error::custom("a value without a key")),
        }
    }
}

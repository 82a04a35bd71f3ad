//! YAML text to a tree that keeps what YAML libraries lose: keys written twice.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor,
};

use super::{
    faults::Faults,
    findings::{Wrong, shown},
    locate::Position,
    syntax,
};

/// One value of the file, as YAML sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Whole(u64),
    /// Negative, or with a fraction.
    Odd(String),
    Text(String),
    List(Vec<Node>),
    /// In the file's order, with repeats.
    Section(Vec<(String, Node)>),
}

/// Takes the text apart, or says where it is no YAML.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, Faults> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let first = match documents.next() {
        Some(document) => {
            Node::deserialize(document).map_err(|e| syntax::faults(text, file, &e))?
        }
        None => Node::Null,
    };
    if first == Node::Null {
        let wrong = Wrong::new("the file is empty", "start from conf/sluice.yaml");
        return Err(Faults::of_syntax(file, Some(Position { line: 1, column: 1 }), wrong));
    }
    match documents.next().map(Node::deserialize) {
        None => Ok(first),
        Some(Ok(_)) => Err(syntax::second_document(text, file)),
        // The parser also begins anew at what it cannot fit to the first document.
        Some(Err(error)) => Err(syntax::faults(text, file, &error)),
    }
}

impl Node {
    /// As messages say it: `must be a list, not …`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Whole(number) => format!("the number {number}"),
            Self::Odd(number) => number.clone(),
            Self::Text(text) => format!("the text {}", shown(text)),
            Self::List(_) => "a list".to_owned(),
            Self::Section(_) => "a section of keys".to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Odd(value.to_string()))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Odd(value.to_string()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Odd(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Odd(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key_seed(KeyText)? {
            entries.push((name, map.next_value()?));
        }
        Ok(Node::Section(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(Error::custom(syntax::TAG))
    }
}

/// A key as it was typed, whatever type YAML would give it.
struct KeyText;

impl<'de> DeserializeSeed<'de> for KeyText {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(syntax::KEY)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        Ok(key.to_owned())
    }
}

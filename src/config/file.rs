//! The configuration as typed: its keys and nothing else. No defaults, no meaning; `check` gives
//! them those. A key that is not a field here is unknown.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// What stands at a key.
#[derive(Debug, Default)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    /// Something is there, but of the wrong type; the reader has said so.
    Faulty,
    Given(T),
}

/// One value, as its text: durations, sizes, and words such as `off` that stand for a number.
#[derive(Debug)]
pub(super) struct Scalar(pub(super) String);

/// `all`, or a list of names.
#[derive(Debug)]
pub(super) enum NamesOrWord {
    Word(String),
    List(Vec<Field<String>>),
}

/// Declares sections whose every key may be left out.
macro_rules! sections {
    ($($name:ident { $($key:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        pub(super) struct $name { $(pub(super) $key: Field<$type>),* }
    )*};
}

sections! {
    File {
        server: Server,
        listeners: Vec<Field<Listener>>,
        admin: Admin,
        upstreams: BTreeMap<String, Field<Upstream>>,
        routes: Vec<Field<Route>>,
        log: Log,
    }
    Server { threads: Scalar }
    Listener { address: Scalar, tls: Tls, max_streams: u64 }
    Tls {
        cert: String,
        key: String,
        certs: Vec<Field<Certificate>>,
        self_signed: Vec<Field<String>>,
    }
    Certificate { cert: String, key: String }
    Admin { address: Scalar }
    Upstream {
        address: Scalar,
        addresses: Vec<Field<Scalar>>,
        tls: UpstreamTls,
        max_streams: u64,
        connect_stagger: Scalar,
        connect_timeout: Scalar,
        read_timeout: Scalar,
    }
    UpstreamTls { sni: String, verify: bool }
    Route { path: String, host: String, upstream: String, sse: Sse }
    Sse {
        vary: Vary,
        ids: String,
        heartbeat: Scalar,
        retry: Scalar,
        replay: Replay,
        late_join: String,
        linger: Scalar,
        open_wait: Scalar,
        force: bool,
        dedupe: bool,
        cors: Cors,
    }
    Vary { query: NamesOrWord, cookies: NamesOrWord, headers: NamesOrWord }
    Replay { events: u64, bytes: Scalar, age: Scalar }
    Cors { origins: Vec<Field<String>>, credentials: bool }
    Log { level: String }
}

// === impl Field ===

impl<T> Field<T> {
    pub(super) fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Faulty => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    /// Never fails: the reader has put the fault on record, and the rest is still to be read.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(T::deserialize(deserializer).map_or(Self::Faulty, Self::Given))
    }
}

// === impl Scalar ===

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneValue;

        impl Visitor<'_> for OneValue {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
        }

        deserializer.deserialize_any(OneValue)
    }
}

// === impl NamesOrWord ===

impl<'de> Deserialize<'de> for NamesOrWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOrList;

        impl<'de> Visitor<'de> for AllOrList {
            type Value = NamesOrWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("'all' or a list of names such as [channel]")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<NamesOrWord, E> {
                Ok(NamesOrWord::Word(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NamesOrWord, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(NamesOrWord::List(names))
            }
        }

        deserializer.deserialize_any(AllOrList)
    }
}

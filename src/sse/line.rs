//! One line of an event stream: which field it is, and where its value begins.
//!
//! A line keeps its name only, a few bytes; values pass through, and are decoded elsewhere.

/// The fields of WHATWG HTML 9.2.6. Names are case-sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Event,
    Data,
    Id,
    Retry,
}

/// What a line turned out to be when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Blank,
    Comment,
    Field(Field),
    Unknown,
}

/// The line being read.
#[derive(Debug)]
pub(super) struct Line {
    stage: Stage,
    /// The bytes before the colon, at most [`NAME_BYTES_MAX`].
    name: Vec<u8>,
    /// This is the first line of the stream: a byte order mark before it is no part of it.
    first: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Name,
    /// Right behind the colon, where one space is dropped.
    Colon(Field),
    Value(Field),
    Comment,
    Unknown,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The longest name that can still become a field: a byte order mark and `event` or `retry`.
const NAME_BYTES_MAX: usize = BYTE_ORDER_MARK.len() + 5;

impl Field {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"event" => Some(Self::Event),
            b"data" => Some(Self::Data),
            b"id" => Some(Self::Id),
            b"retry" => Some(Self::Retry),
            _ => None,
        }
    }
}

impl Line {
    pub(super) fn at_stream_start() -> Self {
        Self { stage: Stage::Name, name: Vec::with_capacity(NAME_BYTES_MAX), first: true }
    }

    /// Reads a part of the line; gives back what of it is value of a known field.
    ///
    /// Never an empty value, so that the caller's state depends on the bytes alone and not on how
    /// they were cut.
    pub(super) fn read<'a>(&mut self, piece: &'a [u8]) -> Option<(Field, &'a [u8])> {
        let mut rest = piece;
        if let Stage::Name = self.stage {
            rest = self.read_name(rest)?;
        }
        if let Stage::Colon(field) = self.stage
            && !rest.is_empty()
        {
            self.stage = Stage::Value(field);
            rest = rest.strip_prefix(b" ").unwrap_or(rest);
        }
        match self.stage {
            Stage::Value(field) if !rest.is_empty() => Some((field, rest)),
            _ => None,
        }
    }

    /// Ends the line and makes ready for the next.
    pub(super) fn end(&mut self) -> Ended {
        let ended = match self.stage {
            Stage::Name => match self.name() {
                b"" => Ended::Blank,
                name => Field::named(name).map_or(Ended::Unknown, Ended::Field),
            },
            Stage::Colon(field) | Stage::Value(field) => Ended::Field(field),
            Stage::Comment => Ended::Comment,
            Stage::Unknown => Ended::Unknown,
        };
        self.stage = Stage::Name;
        self.name.clear();
        self.first = false;
        ended
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.name.capacity()
    }

    /// Reads up to the colon; gives back what is behind it, or `None` while there is no colon.
    fn read_name<'a>(&mut self, piece: &'a [u8]) -> Option<&'a [u8]> {
        let room = NAME_BYTES_MAX - self.name.len();
        // One byte more than there is room for: it may be the colon.
        let head = &piece[..piece.len().min(room + 1)];
        let Some(colon) = head.iter().position(|&byte| byte == b':') else {
            if head.len() > room {
                self.stage = Stage::Unknown;
            } else {
                self.name.extend_from_slice(head);
            }
            return None;
        };
        self.name.extend_from_slice(&head[..colon]);
        self.stage = match self.name() {
            b"" => Stage::Comment,
            name => Field::named(name).map_or(Stage::Unknown, Stage::Colon),
        };
        Some(&piece[colon + 1..])
    }

    /// The field name without the stream's byte order mark. Only one is dropped (9.2.6: the
    /// stream is decoded by the UTF-8 decode algorithm); a second one is part of the name.
    fn name(&self) -> &[u8] {
        match self.name.strip_prefix(BYTE_ORDER_MARK) {
            Some(name) if self.first => name,
            _ => &self.name,
        }
    }
}

//! Text that is no YAML: the parser's complaint, said so that an operator can mend it.

use super::{
    faults::Faults,
    findings::Wrong,
    key_path::KeyPath,
    locate::{Position, locate},
};

/// What the parser says of texts and brackets that are left open.
const END: &str = "found unexpected end of stream";
const NO_COMMA: &str = "did not find expected ',' or";

/// Marks of our own complaints about YAML that we do not use.
pub(super) const TAG: &str = "no tags here";
pub(super) const KEY: &str = "a key of one word";

/// The single fault of a text that stopped being YAML.
pub(super) fn faults(text: &str, file: &str, error: &serde_yaml::Error) -> Faults {
    let says = error.to_string();
    let stopped =
        error.location().map(|place| Position { line: place.line(), column: place.column() });
    // What is never closed is to be mended where it opens, not where the parser gave up.
    let unclosed = says.contains(END) || says.contains(NO_COMMA);
    let position = if unclosed { opening(&says).or(stopped) } else { stopped };
    let line = position.and_then(|place| text.lines().nth(place.line - 1)).unwrap_or("");
    Faults::of_syntax(file, position, plainly(&says, line))
}

/// The fault of a file with more than one document.
pub(super) fn second_document(text: &str, file: &str) -> Faults {
    // The parser does not tell where the next one begins; its marker does.
    let start = locate(text, &KeyPath::default()).map_or(0, |place| place.line);
    let marker = text.lines().enumerate().skip(start).find(|(_, line)| line.starts_with("---"));
    let position = marker.map(|(index, _)| Position { line: index + 1, column: 1 });
    let wrong = Wrong::new("a second YAML document begins here", "remove the line '---'");
    Faults::of_syntax(file, position, wrong)
}

/// The place named last: `…, while scanning a quoted scalar at line 7 column 11`.
fn opening(error: &str) -> Option<Position> {
    let (_, place) = error.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
}

fn plainly(error: &str, line: &str) -> Wrong {
    let says = |part: &str| error.contains(part);
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') || says("tab character") {
        return Wrong::new("indented with a tab", "use spaces");
    }
    if line.contains(": [:") {
        return Wrong::new("an address that begins with '[' reads as a list", "put it in quotes");
    }
    if says(TAG) {
        return Wrong::new("YAML tags ('!name') have no meaning here", "remove the tag");
    }
    if says(KEY) {
        return Wrong::new("a key must be one word", "write 'name: value'");
    }
    if says("alphabetic or numeric character") || says("unknown anchor") {
        return Wrong::new("'*' begins a YAML alias", "put a text that begins with '*' in quotes");
    }
    if says("mapping values are not allowed") {
        return Wrong::new("a ':' where no key can stand", FIX_INDENT_OR_QUOTE);
    }
    if says("recursion limit") || says("repetition limit") {
        return Wrong::new("nested too deeply", "write it flat, without YAML aliases");
    }
    if says(END) {
        return Wrong::new("the file ends inside a quoted text", "close the quote");
    }
    if says("cannot start any token") {
        return Wrong::new("a character that cannot begin a value", "put the value in quotes");
    }
    if says(NO_COMMA) {
        return Wrong::new(
            "a list or section in brackets is not closed",
            "close it with ']' or '}'",
        );
    }
    if says("could not find expected ':'") {
        return Wrong::new("a key without a ':' after it", "write 'name: value'");
    }
    if says("did not find expected") {
        return Wrong::new("this does not fit what stands above it", FIX_INDENT_OR_QUOTE);
    }
    let what = error.split(" at ").next().unwrap_or(error);
    Wrong::new(format!("no YAML: {what}"), "mend this line or the one above it")
}

const FIX_INDENT_OR_QUOTE: &str = "check the indentation, and quote a value that holds ': '";

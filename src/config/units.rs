//! Durations and sizes as the file writes them, read and shown.
//!
//! ```text
//! duration = 1*( digits unit )    units h, m, s, ms in this order, each at most once: 15s, 1m30s
//! size     = digits unit          units B, KiB, MiB, GiB
//! ```
//! No spaces, fractions or bare numbers: a value reads the same to everybody.

use std::time::Duration;

use super::findings::{Wrong, shown};

const MILLIS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const BYTES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    strict_duration(text).map(Duration::from_millis).ok_or_else(|| {
        let fix = match meant_millis(text) {
            Some(millis) => format!("write {}", show_duration(Duration::from_millis(millis))),
            None => "write a number and h, m, s or ms, such as 15s, 500ms or 1m30s".to_owned(),
        };
        Wrong::new(format!("{} is no duration", shown(text)), fix)
    })
}

pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    strict_size(text).ok_or_else(|| {
        let fix = match meant_bytes(text) {
            Some(bytes) => format!("write {}", show_size(bytes)),
            None => "write a number and B, KiB, MiB or GiB, such as 64KiB".to_owned(),
        };
        Wrong::new(format!("{} is no size", shown(text)), fix)
    })
}

/// In the file's own form; milliseconds are the finest.
pub(super) fn show_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (unit, millis) in MILLIS {
        if rest >= millis {
            out.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// In the largest unit that loses nothing.
pub(super) fn show_size(bytes: u64) -> String {
    let exact = BYTES.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    let (unit, factor) = exact.unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / factor)
}

fn strict_duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = MILLIS.as_slice();
    let mut total = 0u64;
    while !rest.is_empty() || units.len() == MILLIS.len() {
        let (number, tail) = leading_number(rest)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let place = units.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(units[place].1)?)?;
        units = &units[place + 1..];
        rest = tail;
    }
    Some(total)
}

fn strict_size(text: &str) -> Option<u64> {
    let (number, unit) = leading_number(text)?;
    let (_, factor) = BYTES.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, tail) = text.split_at(end);
    Some((digits.parse().ok()?, tail))
}

/// What somebody meant who wrote `15`, `15 sec`, `1.5s` or `2d`.
fn meant_millis(text: &str) -> Option<u64> {
    let (number, unit) = loose_number(text)?;
    let factor = match unit.as_str() {
        "d" | "day" | "days" => 24 * 3_600_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "ms" | "msec" | "msecs" | "millis" | "milliseconds" => 1,
        _ => return None,
    };
    scaled(number, factor)
}

/// What somebody meant who wrote `1MB`, `64k` or `1 mib`.
fn meant_bytes(text: &str) -> Option<u64> {
    let (number, unit) = loose_number(text)?;
    let factor = match unit.as_str() {
        "" | "b" | "byte" | "bytes" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    scaled(number, factor)
}

fn loose_number(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_lowercase()))
}

fn scaled(number: f64, factor: u64) -> Option<u64> {
    let product = number * factor as f64;
    // Only a suggestion: what is not exact, or absurd, is not worth suggesting.
    (product.fract() == 0.0 && product < 1e15).then_some(product as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Option<u128> {
        duration(text).ok().map(|d| d.as_millis())
    }

    #[test]
    fn durations_are_numbers_with_units_from_long_to_short() {
        assert_eq!(millis("15s"), Some(15_000));
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("1h0m0s1ms"), Some(3_600_001));
        assert_eq!(millis("0s"), Some(0));
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in [
            "",
            "15",
            "s",
            "15 s",
            " 15s",
            "15s ",
            "1.5s",
            "-1s",
            "+1s",
            "1s1m",
            "1s1s",
            "15S",
            "1d",
            "15sec",
            "1m30",
            "99999999999999999999s",
            "18446744073709551615h",
            "٣s",
        ] {
            assert_eq!(millis(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_duration_that_is_almost_one_is_answered_with_what_was_meant() {
        let fix = |text| duration(text).expect_err("no duration").fix;
        assert_eq!(fix("15"), "write 15s");
        assert_eq!(fix("15 sec"), "write 15s");
        assert_eq!(fix("1.5s"), "write 1s500ms");
        assert_eq!(fix("2d"), "write 48h");
        assert_eq!(fix("0.0001s"), fix("soon"));
    }

    #[test]
    fn sizes_are_numbers_with_binary_units() {
        assert_eq!(size("1MiB"), Ok(1 << 20));
        assert_eq!(size("64KiB"), Ok(64 << 10));
        assert_eq!(size("512B"), Ok(512));
        assert_eq!(size("1GiB"), Ok(1 << 30));
    }

    #[test]
    fn a_size_that_is_almost_one_is_answered_with_what_was_meant() {
        let fix = |text| size(text).expect_err("no size").fix;
        assert_eq!(fix("1MB"), "write 1MiB");
        assert_eq!(fix("1024"), "write 1KiB");
        assert_eq!(fix("1.5 gib"), "write 1536MiB");
        assert_eq!(fix("99999999999GiB"), fix("large"));
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        for millis in [0, 1, 999, 1000, 90_000, 3_600_001, 604_800_000] {
            let shown = show_duration(Duration::from_millis(millis));
            assert_eq!(duration(&shown), Ok(Duration::from_millis(millis)), "{shown}");
        }
        for bytes in [0, 1, 512, 1024, 1536, 1 << 20, 3 << 30] {
            assert_eq!(size(&show_size(bytes)), Ok(bytes));
        }
    }
}

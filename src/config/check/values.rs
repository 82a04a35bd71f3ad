//! Single values: the typed one within its bound, or the default. A value that is refused leaves
//! the default in its place, so that the checks after it go on.

use std::{fmt::Display, time::Duration};

use crate::config::{
    bounds::{self, Bound},
    file::{Field, Scalar},
    findings::{At, shown},
    nearest::did_you_mean,
    units,
};

pub(super) fn duration(field: &Field<Scalar>, bound: &Bound<Duration>, at: &At<'_>) -> Duration {
    let Some(Scalar(text)) = field.given() else {
        return bound.default;
    };
    match units::duration(text) {
        Ok(value) if within(value, bound.least, bound.most, units::show_duration, at) => value,
        Ok(_) => bound.default,
        Err(wrong) => {
            at.wrong(wrong);
            bound.default
        }
    }
}

/// `off` is `None`, and so is a duration left out.
pub(super) fn duration_or_off(
    field: &Field<Scalar>,
    least: Duration,
    most: Duration,
    at: &At<'_>,
) -> Option<Duration> {
    match field.given() {
        Some(Scalar(text)) if text != "off" => {
            Some(duration(field, &Bound { default: least, least, most }, at))
        }
        _ => None,
    }
}

pub(super) fn size(field: &Field<Scalar>, bound: &Bound<usize>, at: &At<'_>) -> usize {
    let Some(Scalar(text)) = field.given() else {
        return bound.default;
    };
    let read = units::size(text).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    match read {
        Ok(value) if within(value, bound.least, bound.most, |v| units::show_size(v as u64), at) => {
            value
        }
        Ok(_) => bound.default,
        Err(wrong) => {
            at.wrong(wrong);
            bound.default
        }
    }
}

pub(super) fn count<T>(field: &Field<u64>, bound: &Bound<T>, at: &At<'_>) -> T
where
    T: Copy + PartialOrd + TryFrom<u64> + Display,
{
    let Some(typed) = field.given() else {
        return bound.default;
    };
    // What does not even fit the type is above the most, which does.
    match T::try_from(*typed) {
        Ok(value) if within(value, bound.least, bound.most, |v| v.to_string(), at) => value,
        Ok(_) => bound.default,
        Err(_) => {
            let fix = format!("write {} to {}", bound.least, bound.most);
            at.fault(format!("{typed} is above the most"), fix);
            bound.default
        }
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    field: &Field<String>,
    default: T,
    words: &[(&str, T)],
    at: &At<'_>,
) -> T {
    let Some(typed) = field.given() else {
        return default;
    };
    if let Some((_, value)) = words.iter().find(|(word, _)| word == typed) {
        return *value;
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let hint = did_you_mean(typed, &known);
    at.fault(
        format!("{} is no choice here", shown(typed)),
        format!("{hint}Choices: {}", known.join(", ")),
    );
    default
}

/// Says so if a list is left out or has nothing in it.
pub(super) fn need_items<T>(field: &Field<Vec<T>>, fix: &str, at: &At<'_>) {
    match field {
        Field::Absent => at.missing(fix),
        Field::Given(list) if list.is_empty() => at.fault("lists nothing", fix),
        Field::Given(_) | Field::Faulty => {}
    }
}

/// The items of a list that were readable, each with its place.
pub(super) fn items<'a, 'f, T>(
    field: &'a Field<Vec<Field<T>>>,
    most: usize,
    at: &At<'f>,
) -> Vec<(&'a T, At<'f>)> {
    items_of(field.given().map_or(&[][..], Vec::as_slice), most, at)
}

/// As [`items`]; a list that is too long is cut.
pub(super) fn items_of<'a, 'f, T>(
    list: &'a [Field<T>],
    most: usize,
    at: &At<'f>,
) -> Vec<(&'a T, At<'f>)> {
    if list.len() > most {
        at.fault(format!("{} items are too many", list.len()), format!("keep at most {most}"));
    }
    let places = list.iter().take(most).enumerate();
    places.filter_map(|(i, item)| Some((item.given()?, at.item(i)))).collect()
}

/// Says of each item that equals an earlier one that it does.
pub(super) fn no_repeats<T: PartialEq + Display>(items: &[(T, At<'_>)]) {
    for (index, (item, at)) in items.iter().enumerate() {
        if items[..index].iter().any(|(earlier, _)| earlier == item) {
            at.fault(format!("{} is listed twice", shown(&item.to_string())), "remove one");
        }
    }
}

/// The name of an upstream or route: printable and short.
pub(super) fn is_name(text: &str) -> bool {
    (1..=bounds::NAME_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn within<T: PartialOrd + Copy>(
    value: T,
    least: T,
    most: T,
    show: impl Fn(T) -> String,
    at: &At<'_>,
) -> bool {
    let side = match () {
        () if value < least => "below the least",
        () if value > most => "above the most",
        () => return true,
    };
    let fix = format!("write {} to {}", show(least), show(most));
    at.fault(format!("{} is {side}", show(value)), fix);
    false
}

//! Where a key stands in the file: `routes[2].sse.heartbeat`.

use std::fmt;

/// The steps from the file's top to a key or a list item. Empty: the whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The `nth` (from 0) key of this name in one section; more than one is itself a fault.
    Key {
        name: String,
        nth: usize,
    },
    Item(usize),
}

impl KeyPath {
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn key(&self, name: &str) -> Self {
        self.repeated_key(name, 0)
    }

    pub(super) fn repeated_key(&self, name: &str, nth: usize) -> Self {
        self.then(Step::Key { name: name.to_owned(), nth })
    }

    pub(super) fn item(&self, index: usize) -> Self {
        self.then(Step::Item(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { steps }
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.steps.iter().enumerate() {
            match step {
                Step::Item(index) => write!(f, "[{index}]")?,
                Step::Key { name, .. } => {
                    if depth > 0 {
                        f.write_str(".")?;
                    }
                    write_name(f, name)?;
                }
            }
        }
        Ok(())
    }
}

/// Names that would blur the path, or the terminal, are shown quoted and escaped.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        f.write_str(name)
    } else {
        write!(f, "{name:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_one_would_say_it() {
        let path = KeyPath::default().key("routes").item(2).key("sse").key("heartbeat");
        assert_eq!(path.to_string(), "routes[2].sse.heartbeat");
    }

    #[test]
    fn odd_names_are_quoted() {
        let path = KeyPath::default().key("upstreams").key("a.b\u{1b}").key("address");
        assert_eq!(path.to_string(), r#"upstreams."a.b\u{1b}".address"#);
    }
}

//! Faults while they are being found: what is wrong at which key, not yet where in the text.
//!
//! [`At`] is the cursor that reading and checking carry along. It knows no YAML and no lines.

use std::cell::{Cell, RefCell};

use super::{bounds, key_path::KeyPath};

/// One thing that is wrong with a text, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) problem: String,
    pub(super) fix: String,
}

#[derive(Debug)]
pub(super) struct Finding {
    pub(super) at: KeyPath,
    pub(super) wrong: Wrong,
}

/// All that was found so far, shared by every cursor of one file.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: RefCell<Vec<Finding>>,
    unkept: Cell<usize>,
    /// Keys that an unknown key probably meant: not to be called missing as well.
    meant: RefCell<Vec<KeyPath>>,
}

/// A place in the file, and the list that faults found there go to.
#[derive(Clone, Debug)]
pub(super) struct At<'f> {
    path: KeyPath,
    findings: &'f Findings,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }
}

impl Findings {
    /// The findings, and how many more there were than are kept.
    pub(super) fn into_parts(self) -> (Vec<Finding>, usize) {
        (self.kept.into_inner(), self.unkept.get())
    }

    fn add(&self, at: KeyPath, wrong: Wrong) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() < bounds::FAULTS {
            kept.push(Finding { at, wrong });
        } else {
            self.unkept.set(self.unkept.get() + 1);
        }
    }
}

impl<'f> At<'f> {
    pub(super) fn top(findings: &'f Findings) -> Self {
        Self { path: KeyPath::default(), findings }
    }

    pub(super) fn key(&self, name: &str) -> Self {
        Self { path: self.path.key(name), findings: self.findings }
    }

    pub(super) fn repeated_key(&self, name: &str, nth: usize) -> Self {
        Self { path: self.path.repeated_key(name, nth), findings: self.findings }
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self { path: self.path.item(index), findings: self.findings }
    }

    pub(super) fn path(&self) -> &KeyPath {
        &self.path
    }

    pub(super) fn fault(&self, problem: impl Into<String>, fix: impl Into<String>) {
        self.wrong(Wrong::new(problem, fix));
    }

    pub(super) fn wrong(&self, wrong: Wrong) {
        self.findings.add(self.path.clone(), wrong);
    }

    /// The key here is left out but needed.
    pub(super) fn missing(&self, fix: impl Into<String>) {
        if !self.is_meant() {
            self.fault("missing", fix);
        }
    }

    /// Whether an unknown key probably meant the one here.
    pub(super) fn is_meant(&self) -> bool {
        self.findings.meant.borrow().contains(&self.path)
    }

    /// An unknown key probably meant the one here.
    pub(super) fn note_meant(&self) {
        self.findings.meant.borrow_mut().push(self.path.clone());
    }
}

/// Text of the file as messages show it: quoted, escaped, and cut short.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(bounds::SHOWN_CHARS).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!(
        "'{}{dots}'",
        short.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
    )
}

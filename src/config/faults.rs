//! What is said of a file that is no configuration: every fault with its line, key and fix.

use std::{error::Error, fmt, io, path::PathBuf, sync::Arc};

use super::{
    findings::{Findings, Wrong},
    locate::{Position, locate},
};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file itself could not be read.
    #[error("{}: cannot be read: {cause}; {fix}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error, fix: &'static str },
    /// It was read, and these things are wrong with it.
    #[error(transparent)]
    Faults(#[from] Faults),
}

/// All faults of one file, in the order of its lines. Never empty.
///
/// Displayed one on a line, without a line break at the end.
#[derive(Debug)]
pub struct Faults {
    list: Vec<Fault>,
    /// Found but not kept.
    more: usize,
}

/// One fault; displayed as `FILE:LINE:COLUMN: KEY PATH: what is wrong; what to write`.
#[derive(Debug)]
pub struct Fault {
    file: Arc<str>,
    position: Option<Position>,
    /// Empty where the file could not be taken apart into keys.
    path: String,
    wrong: Wrong,
}

// === impl Faults ===

impl Faults {
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }

    /// A file that is no YAML has one fault: the place where it stopped being so.
    pub(super) fn of_syntax(file: &str, position: Option<Position>, wrong: Wrong) -> Self {
        let fault = Fault { file: file.into(), position, path: String::new(), wrong };
        Self { list: vec![fault], more: 0 }
    }

    /// `None` when nothing was found.
    pub(super) fn of_findings(file: &str, text: &str, findings: Findings) -> Option<Self> {
        let (findings, more) = findings.into_parts();
        if findings.is_empty() {
            return None;
        }
        let file: Arc<str> = file.into();
        let mut list: Vec<Fault> = findings
            .into_iter()
            .map(|finding| Fault {
                file: file.clone(),
                position: locate(text, &finding.at),
                path: finding.at.to_string(),
                wrong: finding.wrong,
            })
            .collect();
        // Stable: faults of one key stay in the order they were found in.
        list.sort_by_key(|fault| fault.position);
        Some(Self { list, more })
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more; mend these first"),
        }
    }
}

impl Error for Faults {}

// === impl Fault ===

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}; {}", self.wrong.problem, self.wrong.fix)
    }
}

//! File to [`Config`]: tree, then keys as typed, then what they mean. Every fault of a file that
//! is YAML at all is told in one go.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::{
    Config, ConfigError, Faults, bounds, check,
    findings::{At, Findings, Wrong},
    locate::Position,
    read, tree,
};

impl Config {
    /// Reads and checks a file. Certificates are looked for from the folder that it is in.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |cause: io::Error| ConfigError::Unreadable {
            path: path.to_owned(),
            fix: fix_of(&cause),
            cause,
        };
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        // One byte more than allowed tells a file that is too large, however large it is.
        file.take(bounds::FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let wrong = Wrong::new("this line is not UTF-8", "save the file as UTF-8");
            Faults::of_syntax(&name, Some(Position { line, column: 1 }), wrong)
        })?;
        Self::from_yaml(&text, &name)
    }

    /// Checks a text; `file_name` is what messages call it, and its folder is where certificates
    /// are looked for.
    pub fn from_yaml(text: &str, file_name: &str) -> Result<Self, ConfigError> {
        if text.len() as u64 > bounds::FILE_BYTES {
            let most = bounds::FILE_BYTES / 1024;
            let fix = format!("keep the file within {most} KiB");
            let wrong = Wrong::new("the file is too large", fix);
            return Err(Faults::of_syntax(file_name, None, wrong).into());
        }
        // The YAML parser takes the mark for a document of its own.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let top = tree::parse(text, file_name)?;
        let folder = Path::new(file_name).parent().unwrap_or(Path::new(""));
        let findings = Findings::default();
        let at = At::top(&findings);
        let config = read::read(&top, &at).map(|file| check::config(&file, folder, &at));
        match (Faults::of_findings(file_name, text, findings), config) {
            (None, Some(config)) => Ok(config),
            (Some(faults), _) => Err(faults.into()),
            // Not reached: what cannot be read is on record.
            (None, None) => {
                let wrong = Wrong::new("the file could not be read", "see conf/reference.yaml");
                Err(Faults::of_syntax(file_name, None, wrong).into())
            }
        }
    }
}

fn fix_of(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "name the file with -c FILE",
        io::ErrorKind::PermissionDenied => "let the user that runs Sluice read it",
        io::ErrorKind::IsADirectory => "name the file in it with -c FILE",
        _ => "check the path",
    }
}

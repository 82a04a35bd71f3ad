//! The directory that an origin lives in: its site, its configuration, its logs.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A directory under the system's temporary one, gone with the origin.
pub struct Home {
    dir: TempDir,
}

impl Home {
    /// Makes the directory, with room for logs and temporary files. Everybody may use it: servers
    /// that are started by root run their workers as somebody else.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("origin-").tempdir().expect("a directory");
        let home = Self { dir };
        open_to_all(home.dir());
        for part in ["log", "tmp", "sessions", "site"] {
            fs::create_dir(home.path(part)).expect("a directory");
            open_to_all(&home.path(part));
        }
        home
    }

    /// The same with a copy of the test site, to which a test may add pages of its own.
    pub fn with_site() -> Self {
        let home = Self::new();
        for entry in fs::read_dir(source("site")).expect("the test site") {
            let entry = entry.expect("a file of the test site");
            let page = fs::read(entry.path()).expect("a page of the test site");
            home.add_page(&entry.file_name().to_string_lossy(), &page);
        }
        home
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The document root.
    pub fn site(&self) -> PathBuf {
        self.path("site")
    }

    /// Adds a page or a script to the site, or replaces it.
    pub fn add_page(&self, name: &str, content: &[u8]) {
        fs::write(self.site().join(name), content).expect("write a page");
    }

    /// Fills a template of `tests/origins/conf` in and puts it into the directory. Values may hold
    /// names of those after them.
    pub fn configure(&self, template: &str, values: &[(&str, &str)]) -> PathBuf {
        let text = fs::read_to_string(source("conf").join(template)).expect("a template");
        let text = values
            .iter()
            .fold(text, |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value));
        let text = text.replace("{{dir}}", &self.dir().to_string_lossy());
        assert!(!text.contains("{{"), "a value of {template} is missing: {text}");
        let file = self.path(template);
        fs::write(&file, text).expect("write a configuration");
        file
    }

    /// Whether the tests run as root, whom servers ask for the user to run as.
    pub fn is_root(&self) -> bool {
        fs::metadata(self.dir()).expect("the directory").uid() == 0
    }
}

/// A file or directory of `tests/origins`.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/origins").join(name)
}

/// Lets every user write there.
pub fn open_to_all(dir: &Path) {
    fs::set_permissions(dir, Permissions::from_mode(0o777)).expect("permissions");
}

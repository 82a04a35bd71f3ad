//! A SQLite file for the scripts that poll a table. PHP itself writes it.

use std::{path::PathBuf, process::Command};

use super::{
    home::{Home, open_to_all},
    program::program,
};

const OPEN: &str = "$db = new PDO('sqlite:' . $argv[1]);";
const CREATE: &str = "$db->exec('CREATE TABLE events (id INTEGER PRIMARY KEY, message TEXT)');";
const INSERT: &str =
    "$db->prepare('INSERT INTO events (message) VALUES (?)')->execute([$argv[2]]);";

/// A database with the table that db_events_sqlite.php reads.
pub struct SqliteDb {
    home: Home,
}

impl SqliteDb {
    pub fn create() -> Self {
        let database = Self { home: Home::new() };
        database.run(CREATE, "");
        open_to_all(&database.file());
        database
    }

    pub fn file(&self) -> PathBuf {
        self.home.path("site.db")
    }

    /// Adds a row, as the site's own pages would.
    pub fn insert(&self, message: &str) {
        self.run(INSERT, message);
    }

    fn run(&self, statement: &str, value: &str) {
        let mut command = Command::new(program("php", "php-cli"));
        command.args(["-r", &format!("{OPEN} {statement}")]).arg(self.file()).arg(value);
        let done = command.output().expect("run php");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{statement} (php-sqlite3 is needed): {said}");
    }
}

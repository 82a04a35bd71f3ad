//! How PHP is set up, the same under each of its servers.

use super::{
    MariaDb, SqliteDb,
    home::{Home, source},
    request_log::RequestLog,
};

/// Settings of php.ini, and the environment that the scripts see.
#[derive(Clone, Debug)]
pub struct Php {
    ini: Vec<(String, String)>,
    env: Vec<(String, String)>,
}

impl Php {
    /// As Debian and php.ini-production have it: a buffer, and no messages in the output.
    pub fn production() -> Self {
        Self { ini: Vec::new(), env: Vec::new() }
            .ini("output_buffering", "4096")
            .ini("display_errors", "0")
            .ini("upload_max_filesize", "64M")
            .ini("post_max_size", "64M")
            // A test may replace a script while the server runs.
            .ini("opcache.enable", "0")
    }

    /// As php.ini-development has it: messages go into the output, where clients see them.
    pub fn development() -> Self {
        Self::production().ini("display_errors", "1").ini("html_errors", "1")
    }

    /// As it is without any php.ini, in official container images for one: messages, no buffer.
    pub fn without_ini() -> Self {
        Self::development().ini("output_buffering", "0")
    }

    /// Changes one setting.
    pub fn ini(mut self, name: &str, value: &str) -> Self {
        self.ini.retain(|(known, _)| known != name);
        self.ini.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets one variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The pace of all scripts that are not told another one by their query.
    pub fn pace_ms(self, ms: u32) -> Self {
        self.env("PACE_MS", &ms.to_string())
    }

    /// `localhost` of db_events.php is this database.
    pub fn mariadb(self, database: &MariaDb) -> Self {
        self.ini("mysqli.default_socket", &database.socket().to_string_lossy())
    }

    /// db_events_sqlite.php reads this database.
    pub fn sqlite(self, database: &SqliteDb) -> Self {
        self.env("DB_FILE", &database.file().to_string_lossy())
    }

    /// Adds what every origin has: the log of requests, and directories of its own.
    pub(super) fn at(self, home: &Home, log: &RequestLog) -> Self {
        self.ini("auto_prepend_file", &source("request_log.php").to_string_lossy())
            .ini("session.save_path", &home.path("sessions").to_string_lossy())
            .ini("sys_temp_dir", &home.path("tmp").to_string_lossy())
            .env("ORIGIN_LOG", &log.file().to_string_lossy())
    }

    /// As arguments of the command line program.
    pub(super) fn arguments(&self) -> impl Iterator<Item = String> {
        self.ini.iter().flat_map(|(name, value)| ["-d".to_owned(), format!("{name}={value}")])
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// As lines of a configuration file, written by `ini` and `env` from names and values.
    pub(super) fn lines(
        &self,
        ini: impl Fn(&str, &str) -> String,
        env: impl Fn(&str, &str) -> String,
    ) -> String {
        let ini = self.ini.iter().map(|(name, value)| ini(name, value));
        let env = self.env.iter().map(|(name, value)| env(name, value));
        ini.chain(env).collect::<Vec<_>>().join("\n")
    }
}

//! A MariaDB server for the scripts that poll a table.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use super::{
    home::{Home, source},
    process::Process,
    program::program,
};

/// A database server on a Unix socket, with the table that db_events.php reads.
pub struct MariaDb {
    process: Process,
    home: Home,
}

impl MariaDb {
    /// Makes a data directory and starts a server on it.
    pub async fn start() -> Self {
        let home = Home::new();
        let data = format!("--datadir={}", home.path("data").display());
        // A server that starts deletes every temporary table in the directory for them.
        let tables = home.path("tables");
        fs::create_dir(&tables).expect("a directory for temporary tables");
        let tables = format!("--tmpdir={}", tables.display());
        // As root it wants to be told; anybody else runs it as himself anyway.
        let user = if home.is_root() { ["--user=root"].as_slice() } else { &[] };
        let mut install = Command::new(program("mariadb-install-db", "mariadb-server"));
        install.args(["--no-defaults", "--skip-test-db"]);
        install.arg("--auth-root-authentication-method=normal").args([&data, &tables]).args(user);
        let done = install.output().expect("run mariadb-install-db");
        assert!(done.status.success(), "mariadb-install-db: {}", text(&done));

        let socket = home.path("mariadb.sock");
        let mut command = Command::new(program("mariadbd", "mariadb-server"));
        command.args(["--no-defaults", "--skip-networking", "--skip-log-bin"]);
        // As Debian sets it; PHP takes the server's word for the connection.
        command.arg("--character-set-server=utf8mb4");
        // Nothing is kept, so nothing needs to be safe or large.
        command.args(["--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0"]);
        command.arg(format!("--socket={}", socket.display())).args([&data, &tables]).args(user);
        command.arg(format!("--pid-file={}", home.path("mariadb.pid").display()));
        command.arg(format!("--init-file={}", source("conf/mariadb.sql").display()));
        let process = Process::spawn(command, &home.path("log/output"));
        let mut database = Self { process, home };
        database.process.wait_for_socket(&socket).await;
        database
    }

    /// Where clients connect.
    pub fn socket(&self) -> PathBuf {
        self.home.path("mariadb.sock")
    }

    /// Adds a row, as the site's own pages would.
    pub fn insert(&self, message: &str) {
        // As hexadecimal, so that no message needs quoting.
        let bytes = message.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.run(&format!("INSERT INTO events (message) VALUES (x'{bytes}')"));
    }

    /// How many connections there are, this question's own not counted: one per running script.
    pub fn connections(&self) -> usize {
        let count = self.run(
            "SELECT COUNT(*) FROM information_schema.processlist \
             WHERE user = 'username' AND id <> CONNECTION_ID()",
        );
        count.trim().parse().expect("a number")
    }

    /// Ends the server, as when a database goes down under the site.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    fn run(&self, statement: &str) -> String {
        let mut command = Command::new(program("mariadb", "mariadb-server"));
        command.args(["--no-defaults", "--user=username", "--password=password"]);
        command.arg(format!("--socket={}", self.socket().display()));
        command.args(["--default-character-set=utf8mb4", "--skip-column-names", "--batch"]);
        let done = command.args(["database", "--execute", statement]).output();
        let done = done.expect("run mariadb");
        assert!(done.status.success(), "{statement}: {}", text(&done));
        text(&done)
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

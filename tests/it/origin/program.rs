//! Finding the programs that origins are made of.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Where Debian puts servers; not on everybody's PATH.
const SERVER_DIRS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The path of a program, or a loud end: a test without its origin must not look like a pass.
pub fn program(name: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = env::split_paths(&path).chain(SERVER_DIRS.map(PathBuf::from));
    let found = dirs.map(|dir| dir.join(name)).find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| missing(name, package))
}

/// The path of a file whose name begins so: versions are in the names of PHP's files.
pub fn versioned(dirs: &[&str], prefix: &str, package: &str) -> PathBuf {
    let files = dirs.iter().flat_map(|dir| files_in(Path::new(dir)));
    let versions = files.filter(|file| {
        file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix))
    });
    // The highest version, when there are several.
    versions.max().unwrap_or_else(|| missing(prefix, package))
}

/// The newest php-fpm.
pub fn php_fpm() -> PathBuf {
    versioned(&SERVER_DIRS, "php-fpm", "php-fpm")
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn missing(name: &str, package: &str) -> ! {
    panic!(
        "\n\n    `{name}` IS NOT INSTALLED. This test runs against the real thing.\n    \
         Install the package `{package}`, or all of them: tests/install.sh\n"
    )
}

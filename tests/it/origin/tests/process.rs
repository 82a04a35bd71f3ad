//! Processes end with all that they started, and missing programs are noticed.

use std::{fs, process::Command};

use super::SOON;
use crate::{
    client::eventually,
    origin::{
        port::{free_port, is_free},
        process::Process,
        program::program,
    },
};

#[tokio::test]
async fn a_process_takes_its_children_along() {
    let output = tempfile::NamedTempFile::new().expect("a file");
    let mut shell = Command::new(program("sh", "dash"));
    shell.args(["-c", "echo started; sleep 1000 & sleep 1000"]);
    let mut process = Process::spawn(shell, output.path());
    let group = process.id();
    process.wait_until("two sleepers", async || living_members(group) == 3).await;
    assert_eq!(process.output(), "started\n");
    drop(process);
    eventually("all have ended", SOON, async || living_members(group) == 0).await;
}

#[tokio::test]
#[should_panic(expected = "no such luck")]
async fn a_process_that_ends_too_early_is_quoted() {
    let output = tempfile::NamedTempFile::new().expect("a file");
    let mut shell = Command::new(program("sh", "dash"));
    shell.args(["-c", "echo no such luck >&2"]);
    Process::spawn(shell, output.path()).wait_until("never", async || false).await;
}

#[test]
#[should_panic(expected = "Install the package `some-package`")]
fn a_missing_program_fails_loudly() {
    program("no-such-program", "some-package");
}

#[test]
fn ports_are_given_once() {
    let ports = [free_port(), free_port()];
    assert_ne!(ports[0], ports[1]);
    assert!(is_free(ports[0]));
}

/// How many processes of a group run; those that only wait to be reaped do not.
fn living_members(group: u32) -> usize {
    let processes = fs::read_dir("/proc").expect("the processes");
    let stats =
        processes.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    let members = stats.filter(|stat| {
        // After the name, which may hold anything: state, parent, group.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let state = fields.next();
        fields.nth(1) == Some(&*group.to_string()) && state != Some("Z")
    });
    members.count()
}

//! The command line: reads the configuration, runs the gateway, waits for signals.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use log::{LevelFilter, info};
use sluice::{app::App, config::Config};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A reverse-proxy gateway for Server-Sent Events.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Run {
        /// The configuration file.
        #[arg(short, long, default_value = "/etc/sluice/sluice.yaml")]
        config: PathBuf,
    },
    /// Validate the configuration and print every fault. Exit status 0, or 1.
    Check {
        /// The configuration file.
        #[arg(short, long, default_value = "/etc/sluice/sluice.yaml")]
        config: PathBuf,
    },
}

/// How long connections have to close once their streams have been ended.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run { config } => run(&config),
        Command::Check { config } => check(&config),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn check(path: &Path) -> Result {
    Config::from_file(path)?;
    println!("{}: valid", path.display());
    Ok(())
}

fn run(path: &Path) -> Result {
    let config = Config::from_file(path)?;
    start_log(config.log.level);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = config.server.threads {
        runtime.worker_threads(threads);
    }
    let runtime = runtime.enable_all().build()?;
    let served = runtime.block_on(serve(&config));
    // A name look-up cannot be aborted, and may last longer than anybody waits for an exit.
    runtime.shutdown_background();
    served
}

/// Sluice's own lines. Those of the crates below it name clients' URLs and addresses, and say
/// nothing that an operator could mend: they are for debugging.
fn start_log(level: LevelFilter) {
    let below = if level >= LevelFilter::Debug { LevelFilter::Warn } else { LevelFilter::Off };
    env_logger::Builder::new().filter_level(below).filter_module("sluice", level).init();
}

async fn serve(config: &Config) -> Result {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let app = App::start(config)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("Ending all streams.");
    app.shut_down(SHUTDOWN_MAX).await;
    Ok(())
}

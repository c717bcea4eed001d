//! The command line of the server.

use std::io::Write;
use std::process::ExitCode;

use partway_sandbox::options::{self, Command};
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Command::Serve(options)) => *options,
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("partway-sandbox: {message}");
            return ExitCode::from(2);
        }
    };
    let watch_parent = options.exit_with_parent;
    let mut running = match partway_sandbox::start(options).await {
        Ok(running) => running,
        Err(error) => {
            eprintln!("partway-sandbox: {error}");
            return ExitCode::FAILURE;
        }
    };
    match serde_json::to_string(&running.addresses) {
        Ok(line) => {
            let mut out = std::io::stdout().lock();
            // A closed standard output is no error: the parent may not read the addresses.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
        Err(error) => {
            eprintln!("partway-sandbox: {error}");
            return ExitCode::FAILURE;
        }
    }
    tokio::select! {
        () = running.forever() => {}
        () = parent_exit(watch_parent) => {}
        () = stop_signal() => {}
    }
    drop(running);
    // A pending read of standard input would keep the runtime from shutting down.
    std::process::exit(0);
}

/// Waits until standard input closes, which it does when the parent process ends.
async fn parent_exit(watch: bool) {
    if !watch {
        return std::future::pending().await;
    }
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 256];
    while !matches!(input.read(&mut buffer).await, Ok(0) | Err(_)) {}
}

/// Waits for SIGINT or SIGTERM.
async fn stop_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

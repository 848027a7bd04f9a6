//! The binary: parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use wim_match::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}

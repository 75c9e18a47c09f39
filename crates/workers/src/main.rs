//! The binary `instashop`: parse, run one subcommand, report how it ended.

use std::process::ExitCode;

fn main() -> ExitCode {
    instashop_workers::cli::main()
}

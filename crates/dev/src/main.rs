//! Binary `instashop-dev`.

fn main() -> std::process::ExitCode {
    instashop_dev::cli::main()
}

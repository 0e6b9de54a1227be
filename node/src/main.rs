//! The binary `lanemesh`.

fn main() -> std::process::ExitCode {
    node::cli::run()
}

//! Which command did the engineer type?

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    innkeeper::cli::main()
}

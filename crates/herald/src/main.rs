//! The `herald` program: everything is in the library, so that tests and benchmarks can reach it.

use std::process::ExitCode;

/// Many small short-lived values from many threads: faster there than the system's allocator, and steadier in memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    herald::cli::run()
}

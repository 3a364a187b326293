//! Compiles the protocol into `OUT_DIR`, without protoc, and sets what the C libraries need of the linker.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let files = protox::compile(["hstream.proto"], ["proto"])?;
    tonic_prost_build::configure()
        // Payloads are slices of the message they came in, not copies of it.
        .bytes(".")
        .build_server(feature("DEV_SERVER"))
        // A server grows a call at a time: what it lacks answers UNIMPLEMENTED.
        .generate_default_stubs(true)
        .emit_rerun_if_changed(false)
        .compile_fds(files)?;
    if feature("FFI") {
        for argument in linker_arguments(&std::env::var("CARGO_CFG_TARGET_OS")?) {
            println!("cargo:rustc-cdylib-link-arg={argument}");
        }
    }
    Ok(())
}

fn feature(name: &str) -> bool {
    std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

/// For the shared library.
fn linker_arguments(os: &str) -> Vec<String> {
    match os {
        "linux" => vec![
            format!("-Wl,-soname,libhstreamdb.so.{}", abi()),
            // Unloading would leave destructors of thread-local storage pointing nowhere.
            "-Wl,-z,nodelete".to_owned(),
            "-Wl,-z,relro,-z,now".to_owned(),
        ],
        // Untested: nobody has built this on macOS yet.
        "macos" => vec![format!("-Wl,-install_name,@rpath/libhstreamdb.{}.dylib", abi())],
        _ => Vec::new(),
    }
}

/// Libraries of one ABI can stand in for each other: of one minor version before 1.0, of one major version after.
fn abi() -> String {
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    if major == "0" { format!("0.{minor}") } else { major.to_owned() }
}

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
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if feature("FFI") && linux {
        // Unloading would leave destructors of thread-local storage pointing nowhere.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now");
    }
    Ok(())
}

fn feature(name: &str) -> bool {
    std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

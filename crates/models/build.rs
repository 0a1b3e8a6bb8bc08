//! Writes libtorch's folder into the run path of this crate's tests and benchmarks, and hands it on to its dependents.
//!
//! Cargo shows the folder only to direct dependents of `torch-sys`. A crate that links a binary therefore depends on
//! `tidegate-models` directly and reads `DEP_TIDEGATE_MODELS_LIBTORCH_LIB` in a build script of its own.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        println!("cargo::metadata=libtorch_lib={folder}");
    }
}

//! Compiles the protos in pure Rust and keeps their whole descriptor set for reflection.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("wim/mentorship/v1"))? {
        files.push(entry?.path());
    }
    files.sort();
    let descriptors = protox::compile(&files, [root])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut prost = tonic_prost_build::Config::new();
    prost.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, prost)?;
    Ok(())
}

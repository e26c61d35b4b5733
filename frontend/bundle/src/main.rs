//! `bundle WASM OUT`: makes what the server embeds.
//!
//! Bindings for the WebAssembly, by the library form of `wasm-bindgen`, so that its version cannot part from the one
//! in `Cargo.lock`; names with a hash of the content, so that browsers may keep files for ever; copies compressed once
//! and well, so that the server compresses nothing; and a manifest that tells the server what is what.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use aws_lc_rs::digest::{SHA256, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Under this path the server serves the files.
const BASE: &str = "/assets";

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [wasm, out] = arguments.as_slice() else { return Err("usage: bundle WASM OUT".into()) };
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;

    let mut site = Site { out, names: BTreeMap::new() };
    let bindings = bindings(wasm)?;
    let wasm = site.add("frontend.wasm", &bindings.wasm)?;
    let js = site.add("frontend.js", bindings.js.as_bytes())?;
    let loader = fs::read_to_string("frontend/islands.js")?.replace("{{js}}", &js).replace("{{wasm}}", &wasm);
    site.add("islands.js", loader.as_bytes())?;
    for folder in ["style", "public"] {
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_name().and_then(OsStr::to_str).ok_or("a file name that is no text")?;
            site.add(name, &fs::read(&path)?)?;
        }
    }
    fs::write(out.join("manifest.json"), serde_json::to_vec_pretty(&site.names)?)?;
    Ok(())
}

struct Bindings {
    wasm: Vec<u8>,
    js: String,
}

fn bindings(wasm: &Path) -> Result<Bindings> {
    let mut made = Bindgen::new()
        .input_path(wasm)
        .out_name("frontend")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    let js = made.js().to_owned();
    Ok(Bindings { wasm: made.wasm_mut().emit_wasm(), js })
}

struct Site<'a> {
    out: &'a Path,
    names: BTreeMap<String, String>,
}

impl Site<'_> {
    /// Writes a file and its compressed copies; answers the address it is served at.
    fn add(&mut self, name: &str, content: &[u8]) -> Result<String> {
        let (stem, extension) = name.rsplit_once('.').ok_or("a file without an extension")?;
        let digest = digest(&SHA256, content);
        let hash = digest.as_ref().iter().take(6).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
        let hashed = format!("{stem}.{hash:012x}.{extension}");
        fs::write(self.out.join(&hashed), content)?;
        fs::write(self.out.join(format!("{hashed}.br")), brotli(content)?)?;
        fs::write(self.out.join(format!("{hashed}.gz")), gzip(content)?)?;
        let address = format!("{BASE}/{hashed}");
        self.names.insert(name.to_owned(), address.clone());
        Ok(address)
    }
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

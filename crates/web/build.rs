//! Embeds the built console: `WEIR_CONSOLE_DIST`, or `console/dist` where that exists. Files with `.br` beside them bring both forms. Nothing built:
//! an empty list, and the desk says how to build it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=WEIR_CONSOLE_DIST");
    // `make console` touches this file: a folder that is not there yet cannot be watched, for cargo would then build this crate each time.
    println!("cargo:rerun-if-changed=build.rs");
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = env::var_os("WEIR_CONSOLE_DIST").map_or_else(|| manifest.join("../../console/dist"), PathBuf::from);
    if dist.is_dir() {
        println!("cargo:rerun-if-changed={}", dist.display());
    }
    let mut files = BTreeSet::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &dist, &mut files)?;
    }
    let mut out = "&[\n".to_owned();
    for name in files.iter().filter(|n| !n.ends_with(".br")) {
        let at = |name: &str| format!("include_bytes!({:?})", dist.join(name).canonicalize().unwrap_or_default());
        let packed = format!("{name}.br");
        let br = if files.contains(&packed) { format!("Some({})", at(&packed)) } else { "None".to_owned() };
        let _ = writeln!(out, "    File {{ path: {name:?}, plain: {}, br: {br} }},", at(name));
    }
    out.push_str("]\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("console.rs"), out)
}

fn collect(root: &Path, dir: &Path, out: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, out)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            out.insert(name.to_owned());
        }
    }
    Ok(())
}

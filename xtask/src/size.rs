//! What the page weighs: every file that its first load needs, compressed as a static host would,
//! with brotli at quality 11.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{fingerprint, split};

/// What the first load may weigh at most, in bytes: all that the page needs until its election is shown.
const FIRST: usize = 600_000;
/// The WebAssembly in it.
const FIRST_WASM: usize = 450_000;
/// What is fetched after the first picture: the lessons, most panels, searches (`web/src/later.rs`).
const REST: usize = 415_000;
/// Files that name other files.
const TEXTS: &[&str] = &["html", "css", "js", "mjs", "svg", "webmanifest"];
/// Files that are compressed already; hosts send them as they are.
const COMPRESSED: &[&str] = &["woff2", "png", "jpg", "webp", "avif"];

/// Prints the page's files and their sizes; true if the limits are kept.
pub fn check(dist: &Path) -> Result<bool> {
    let (first, later) = partition(dist)?;
    let shown = |path: &Path| {
        path.strip_prefix(dist)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let mut total = Size::default();
    let mut wasm = Size::default();
    let mut rest = Size::default();
    println!("{:>10} {:>10}  file", "bytes", "brotli");
    for path in &first {
        let size = Size::of(path)?;
        size.print(&shown(path));
        total.add(size);
        if has_extension(path, &["wasm"]) {
            wasm.add(size);
        }
    }
    total.print("total of the first load (brotli, quality 11, window 22, each file by itself)");
    for path in later {
        if is_rest(&path) {
            let size = Size::of(&path)?;
            size.print(&format!("{}, after the first picture", shown(&path)));
            rest.add(size);
        } else {
            println!("{:>21}  {}", "when asked for", shown(&path));
        }
    }
    let mut kept = true;
    for (what, size, limit) in [
        ("the first load", total, FIRST),
        ("its WebAssembly", wasm, FIRST_WASM),
        ("what is fetched after it", rest, REST),
    ] {
        let over = size.brotli > limit;
        let verdict = if over { "too much" } else { "kept" };
        println!("{what}: {} of {limit} bytes, {verdict}", size.brotli);
        kept &= !over;
    }
    Ok(kept)
}

/// Whether a file is fetched as soon as the first picture is shown.
fn is_rest(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(split::REST))
}

/// Splits the page's files into those of the first load (the HTML file, what it names, what that
/// names and so on) and those that the page fetches later, if ever.
fn partition(dist: &Path) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>)> {
    let index = dist.join("index.html");
    ensure!(index.is_file(), "there is no page in {}", dist.display());
    let mut later: BTreeSet<_> = fingerprint::files(dist)?.into_iter().collect();
    later.remove(&index);
    let mut first = BTreeSet::new();
    let mut open = vec![index];
    while let Some(path) = open.pop() {
        if has_extension(&path, TEXTS) {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let named = |file: &PathBuf| {
                !is_rest(file)
                    && file
                        .file_name()
                        .and_then(|name| name.to_str())
                        .is_some_and(|name| text.contains(name))
            };
            open.extend(later.extract_if(.., |file| named(file)));
        }
        first.insert(path);
    }
    Ok((first, later))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| extensions.contains(&e))
}

#[derive(Clone, Copy, Default)]
struct Size {
    raw: usize,
    brotli: usize,
}

impl Size {
    fn of(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let brotli = if has_extension(path, COMPRESSED) {
            bytes.len()
        } else {
            compress(&bytes)?.len()
        };
        Ok(Self {
            raw: bytes.len(),
            brotli,
        })
    }

    fn add(&mut self, other: Self) {
        self.raw += other.raw;
        self.brotli += other.brotli;
    }

    fn print(self, name: &str) {
        println!("{:>10} {:>10}  {name}", self.raw, self.brotli);
    }
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_load_is_what_the_page_names_directly_or_not() {
        let dist = crate::workspace::target().join("size-test");
        let _ = fs::remove_dir_all(&dist);
        fs::create_dir_all(dist.join("fonts")).expect("directory");
        let write = |name: &str, text: &str| fs::write(dist.join(name), text).expect("written");
        write(
            "index.html",
            "<link href=./a-1.css><meta content=./app.js data-wasm=./app.wasm data-rest=./zabscope-rest-1.wasm>",
        );
        write("a-1.css", "@font-face { src: url(fonts/text.woff2) }");
        write("app.js", "");
        write("app.wasm", "worker.js");
        write("worker.js", "");
        write("zabscope-rest-1.wasm", "");
        write("fonts/text.woff2", "");
        let (first, later) = partition(&dist).expect("partition");
        let names = |set: &BTreeSet<PathBuf>| -> Vec<String> {
            let name = |path: &PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
            set.iter().filter_map(name).collect()
        };
        assert_eq!(
            names(&first),
            ["a-1.css", "app.js", "app.wasm", "text.woff2", "index.html"]
        );
        assert_eq!(names(&later), ["worker.js", "zabscope-rest-1.wasm"]);
        fs::remove_dir_all(&dist).expect("removed");
    }

    #[test]
    fn what_repeats_itself_weighs_little() {
        assert!(compress(&[7; 100_000]).expect("compressed").len() < 100);
    }
}

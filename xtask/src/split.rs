//! Cuts the page's WebAssembly in two: what its first picture needs, and the rest, which is fetched after it
//! (`web/src/later.rs` says what that is). Trunk can't do it, so its one file is replaced by ours.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use wasm_split_cli_support::{Options, transform};

use crate::tools::WASM_BINDGEN;
use crate::{process, workspace};

/// What names the code in the page, up to the name of its JavaScript file.
const META: &str = r#"<meta name="zabscope-code" content="./"#;
/// What the second file is called before its hash.
pub const REST: &str = "zabscope-rest-";

/// Replaces the code in `dist`, which Trunk has built with the feature `split`.
pub fn split(dist: &Path) -> Result<()> {
    let target = workspace::target();
    let whole = target.join("wasm32-unknown-unknown/page/zabscope-web.wasm");
    let bytes = fs::read(&whole).with_context(|| whole.display().to_string())?;
    let hash = {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        // Which tools cut it.
        fs::read(workspace::root().join("Cargo.lock"))?.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    };
    let web = format!("zabscope-web-{hash}");
    let made = target.join("split");
    let _ = fs::remove_dir_all(&made);
    fs::create_dir_all(&made)?;

    let link = format!("./zabscope-split-{hash}.js");
    let main = made.join("main.wasm");
    let main_module = format!("./{web}.js");
    let mut options = Options::new(&bytes);
    options.output_dir = &made;
    options.main_out_path = &main;
    options.link_name = &link;
    options.main_module = &main_module;
    // Its errors are of another kind than ours.
    let parts = transform(options).map_err(|error| anyhow!("{error:#}"))?;
    let [rest] = &parts.split_modules[..] else {
        anyhow::bail!(
            "two files were expected, not {}",
            parts.split_modules.len() + 1
        );
    };

    let mut command = workspace::command(WASM_BINDGEN.directory()?.join("wasm-bindgen"));
    command
        .args([
            "--target",
            "web",
            "--no-typescript",
            "--keep-lld-exports",
            "--remove-name-section",
        ])
        .arg("--remove-producers-section")
        .args(["--out-name", &web, "--out-dir"])
        .arg(dist)
        .arg(&main);
    process::must(command, Duration::from_secs(5 * 60))?;

    let name = rest.file_name().and_then(|name| name.to_str());
    let name = name.context("the second file has no name")?;
    let rest_name = format!("{REST}{hash}.wasm");
    fs::copy(rest, dist.join(&rest_name))?;
    let loader = fs::read_to_string(made.join(&link))?;
    ensure!(loader.contains(name), "the loader does not name {name}");
    fs::write(dist.join(&link), loader.replace(name, &rest_name))?;

    let index = dist.join("index.html");
    let html = fs::read_to_string(&index)?;
    let (html, old) = named(&html, &web, &link, &rest_name)?;
    fs::write(&index, html)?;
    for old in [format!("{old}.js"), format!("{old}_bg.wasm")] {
        fs::remove_file(dist.join(&old)).with_context(|| old)?;
    }
    Ok(())
}

/// The page with our files' names instead of Trunk's; and how Trunk's were called.
fn named(html: &str, web: &str, link: &str, rest: &str) -> Result<(String, String)> {
    let found = html
        .split_once(META)
        .and_then(|(_, tail)| tail.split_once(".js\""));
    let (old, _) = found.context("index.html does not say where its code is")?;
    let first = format!("{META}{old}.js\"");
    let html = html
        .replace(&first, &format!("{first} data-rest=\"./{rest}\""))
        .replace(old, web)
        // The loader is fetched beside what imports it, not after it.
        .replace("</head>", &format!("<link rel=\"modulepreload\" href=\"{link}\">\n</head>"));
    Ok((html, old.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_both_files_and_the_loader() {
        let html = format!(
            "<head>{META}zabscope-web-0a.js\" data-wasm=\"./zabscope-web-0a_bg.wasm\"><link href=\"./zabscope-web-0a.js\"></head>"
        );
        let (html, old) =
            named(&html, "zabscope-web-1b", "./loader-1b.js", "rest-1b.wasm").expect("named");
        assert_eq!(old, "zabscope-web-0a");
        assert_eq!(
            html,
            format!(
                "<head>{META}zabscope-web-1b.js\" data-rest=\"./rest-1b.wasm\" data-wasm=\"./zabscope-web-1b_bg.wasm\"><link href=\"./zabscope-web-1b.js\"><link rel=\"modulepreload\" href=\"./loader-1b.js\">\n</head>"
            )
        );
        assert!(named("<head></head>", "a", "b", "c").is_err());
    }
}

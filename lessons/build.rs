//! Reads `data/*/{lesson.json,en.md,zh.md}` and writes them as constants: the text as typed blocks,
//! so that the page needs neither a Markdown parser nor raw HTML.
#![allow(clippy::disallowed_methods)] // a build script reads and writes files

#[path = "build/markdown.rs"]
mod markdown;

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build");
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let data = Path::new(&root).join("data");
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(&data)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_by_key(|name| {
        let number = name.split('-').next().and_then(|n| n.parse::<u32>().ok());
        (number.unwrap_or(u32::MAX), name.clone())
    });
    let mut out = String::from(
        "/// All lessons, in the order of the curriculum.\npub(crate) const EMBEDDED: &[Embedded] = &[\n",
    );
    for name in names {
        let dir = data.join(&name);
        let mut texts = String::new();
        for file in ["en.md", "zh.md"] {
            let path = dir.join(file);
            let source =
                fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let text =
                markdown::parse(&source).map_err(|e| format!("lessons/data/{name}/{file}, {e}"))?;
            let field = file.trim_end_matches(".md");
            writeln!(texts, "        {field}: {},", markdown::rust(&text))?;
        }
        // Not this directory's name: what was built here is still good when all of it moves.
        let json = format!("/data/{name}/lesson.json");
        writeln!(
            out,
            "    Embedded {{\n        name: {name:?},\n        json: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {json:?})),\n{texts}    }},"
        )?;
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.rs"), out)?;
    Ok(())
}

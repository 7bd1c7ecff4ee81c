//! Does every dependency, Rust's and Node's, come under a licence that Apache-2.0 software may use?

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use crate::{process, workspace};

/// Licences that ask for no more than a notice; MPL-2.0 asks for more, but only for its own files
/// (imbl is under it, axe-core too), which we use unchanged.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Prints what is not allowed; true if there is nothing such.
pub fn check() -> Result<bool> {
    let mut packages = rust_packages()?;
    packages.extend(node_packages()?);
    let allowed = ALLOWED
        .iter()
        .map(|licence| Licensee::parse(licence).with_context(|| format!("the licence {licence}")))
        .collect::<Result<Vec<_>>>()?;
    let refused: Vec<_> = packages
        .iter()
        .filter_map(|(name, licence)| Some((name, licence, problem(licence.as_deref(), &allowed)?)))
        .collect();
    for (name, licence, problem) in &refused {
        println!("{name}: {}: {problem}", licence.as_deref().unwrap_or("-"));
    }
    println!(
        "{} packages, {} of them with a licence that is not allowed",
        packages.len(),
        refused.len()
    );
    Ok(refused.is_empty())
}

/// Why a package may not be used; nothing if it may.
fn problem(licence: Option<&str>, allowed: &[Licensee]) -> Option<String> {
    let Some(licence) = licence else {
        return Some("names no licence".to_owned());
    };
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Ok(expression) => {
            let ours =
                expression.evaluate(|needed| allowed.iter().any(|one| one.satisfies(needed)));
            (!ours).then(|| "is not in the list".to_owned())
        }
        Err(error) => Some(format!("can't be read: {}", error.reason)),
    }
}

/// Name with version, and licence.
type Package = (String, Option<String>);

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// All packages that any of ours needs, on any platform, with any feature.
fn rust_packages() -> Result<Vec<Package>> {
    let mut command = workspace::cargo();
    command.args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--all-features",
    ]);
    let metadata: Value =
        serde_json::from_str(&process::output(command, Duration::from_secs(10 * 60))?)?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo's packages")?;
    let named = |package: &Value| {
        let name = format!("{} {}", text(package, "name")?, text(package, "version")?);
        Some((name, text(package, "license")))
    };
    packages
        .iter()
        .map(|package| named(package).context("a package's name"))
        .collect()
}

/// The packages of the browser tests.
fn node_packages() -> Result<Vec<Package>> {
    let file = workspace::browser_tests().join("package-lock.json");
    let text_of_file = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let lock: Value = serde_json::from_str(&text_of_file)?;
    let packages = lock
        .get("packages")
        .and_then(Value::as_object)
        .context("npm's packages")?;
    let named = |(path, package): (&String, &Value)| {
        let name = format!("{path} {}", text(package, "version").unwrap_or_default());
        (name, text(package, "license"))
    };
    Ok(packages.iter().map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_combination_all() {
        let allowed: Vec<_> = ALLOWED
            .iter()
            .map(|one| Licensee::parse(one).expect(one))
            .collect();
        let allows = |licence| problem(Some(licence), &allowed).is_none();
        assert!(allows("MIT/Apache-2.0") && allows("GPL-3.0 OR MIT") && allows("MPL-2.0+"));
        assert!(allows("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!allows("GPL-3.0-only") && !allows("MIT AND LGPL-2.1-or-later"));
        assert!(!allows("my own"));
        assert!(problem(None, &allowed).is_some());
    }
}

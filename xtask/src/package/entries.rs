//! An entry for each destination: `partway/s3` is `partway` without the others, and a page loads less.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::write;

const TYPES: &str = include_str!("entry.d.ts");

/// The module of the face that differs between the entries.
const MODULE: &str = "entry.ts";

/// Where its functions that find the wasm begin. They are its last ones.
const FINDS_WASM: &str = "/** The address of the wasm file";

/// These functions in the CommonJS build.
const REQUIRES_WASM: &str = include_str!("wasm.require.ts");

/// These functions where nothing is served beside the script.
const HAS_WASM: &str = include_str!("wasm.inline.ts");

/// What a page can import.
pub(super) struct Entry {
    /// The engine's name, as its files in `dist` have it. Where the entry is for one destination it is the provider's, and that of the
    /// crate's feature.
    pub(super) engine: &'static str,
    /// The script's name.
    pub(super) script: &'static str,
    /// What `index.d.ts` calls the provider's options.
    options: &'static str,
    /// Bytes, compressed with brotli, of all that a page loads to upload a file. It is what there is, so that it doesn't grow unseen
    /// (ARCHITECTURE.md, "Size").
    pub(super) budget: usize,
}

/// The one with all destinations.
pub(super) const WHOLE: Entry = Entry { engine: "partway", script: "index", options: "Provider", budget: 163_000 };

/// Those with one.
pub(super) const NARROW: [Entry; 6] = [
    narrow("ofauth", "OfauthProvider", 105_500),
    narrow("onlymonster", "OnlymonsterProvider", 110_400),
    narrow("apifansly", "ApifanslyProvider", 100_400),
    narrow("s3", "S3Provider", 121_400),
    narrow("plan", "PlanProvider", 109_700),
    narrow("form", "FormProvider", 105_500),
];

const fn narrow(name: &'static str, options: &'static str, budget: usize) -> Entry {
    Entry { engine: name, script: name, options, budget }
}

impl Entry {
    /// What a page writes to import it.
    pub(super) fn import(&self) -> String {
        if self.engine == WHOLE.engine { self.engine.into() } else { format!("{}/{}", WHOLE.engine, self.engine) }
    }

    pub(super) fn glue(&self) -> String {
        format!("{}.js", self.engine)
    }

    pub(super) fn wasm(&self) -> String {
        format!("{}_bg.wasm", self.engine)
    }

    /// The wasm as a script.
    pub(super) fn inline(&self) -> String {
        format!("{}_inline.js", self.engine)
    }

    /// The wasm as a CommonJS module.
    pub(super) fn required(&self) -> String {
        format!("{}_inline.cjs", self.engine)
    }

    /// The script that has the wasm in it, without what comes after the dot: it is also what a page writes to import it.
    pub(super) fn self_contained(&self) -> String {
        if self.engine == WHOLE.engine { "inline".into() } else { format!("{}-inline", self.script) }
    }

    /// The declarations of that.
    pub(super) fn self_contained_types(&self) -> String {
        format!(
            "/** The same, with the wasm in the script: for pages that can serve no file beside it. */\nexport * from \"./{}.js\";\n",
            self.script
        )
    }

    /// The declarations of an entry for one destination.
    pub(super) fn types(&self) -> String {
        TYPES.replace("NAME", self.engine).replace("OPTIONS", self.options)
    }

    /// The same for `require`.
    pub(super) fn required_types(&self) -> String {
        self.types().replace("./index.js", "./index.cjs")
    }

    /// The glue's declarations, and those of the wasm as a script.
    pub(super) fn glue_types(&self) -> String {
        format!("{}.d.ts", self.engine)
    }

    pub(super) fn inline_types(&self) -> String {
        format!("{}_inline.d.ts", self.engine)
    }

    /// Makes the sources in `to`, a copy of those in `face`, this entry's own: the ones with one provider know that one, and load the
    /// engine that has it.
    pub(super) fn narrow(&self, face: &Path, to: &Path) -> Result<()> {
        write(&to.join(MODULE), self.narrowed(&module(face)?)?)
    }

    /// Makes them ones for CommonJS.
    pub(super) fn for_require(&self, face: &Path, to: &Path) -> Result<()> {
        write(&to.join(MODULE), self.finding(&self.narrowed(&module(face)?)?, REQUIRES_WASM)?)
    }

    /// Makes them ones that have the wasm in them.
    pub(super) fn for_inline(&self, face: &Path, to: &Path) -> Result<()> {
        write(&to.join(MODULE), self.finding(&self.narrowed(&module(face)?)?, HAS_WASM)?)
    }

    fn narrowed(&self, module: &str) -> Result<String> {
        if self.engine == WHOLE.engine {
            return Ok(module.to_owned());
        }
        let mut narrowed = module.to_owned();
        let names = NARROW.map(|entry| entry.engine);
        for other in names.iter().filter(|name| **name != self.engine) {
            narrowed =
                replace(&narrowed, &format!("import {{ {other} }} from \"./options/providers/{other}.ts\";\n"), "")?;
        }
        narrowed = replace(
            &narrowed,
            &format!("PROVIDERS = {{ {} }}", names.join(", ")),
            &format!("PROVIDERS = {{ {} }}", self.engine),
        )?;
        for file in [Self::glue, Self::wasm, Self::inline] {
            narrowed = replace(&narrowed, &file(&WHOLE), &file(self))?;
        }
        narrowed = replace(&narrowed, &entry_name(&WHOLE), &entry_name(self))?;
        Ok(narrowed)
    }

    /// The module with other functions that find the wasm.
    fn finding(&self, module: &str, functions: &str) -> Result<String> {
        let (common, _) = module
            .split_once(FINDS_WASM)
            .with_context(|| format!("pkg/{MODULE} has no `{FINDS_WASM}`: xtask/src/package/entries.rs must follow"))?;
        Ok(common.to_owned() + &functions.replace("ENGINE", self.engine))
    }
}

fn module(face: &Path) -> Result<String> {
    let path = face.join(MODULE);
    fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))
}

/// How the module says the entry's name.
fn entry_name(entry: &Entry) -> String {
    format!("ENTRY = \"{}\";", entry.import())
}

/// Every `from` replaced; an error where there is none.
fn replace(module: &str, from: &str, to: &str) -> Result<String> {
    ensure!(module.contains(from), "pkg/{MODULE} has no `{}`: xtask/src/package/entries.rs must follow", from.trim());
    Ok(module.replace(from, to))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The lists that have every destination, each as a file and what stands before and after the names.
    const LISTS: [(&str, &str, &str); 10] = [
        ("Cargo.toml", "\ndefault = [", "]"),
        ("src/lib.rs", "not(all(", "))"),
        ("pkg/entry.ts", "PROVIDERS = {", "}"),
        ("pkg/package.json", "\"exports\": {", "\"files\":"),
        ("tests/options/taken.json", "[", "\n]"),
        ("tests/simulation/tests/suite/dialects.rs", "DIALECTS: [", "\n];"),
        ("tests/simulation/src/seeds/generate.rs", "let mut provider = match destination", "};\n"),
        ("tests/simulation/src/check.rs", "match result.provider {", "};\n"),
        ("tests/e2e/src/destination.rs", "fn name(self)", "\n    }\n"),
        ("sandbox/src/handlers/app.rs", "\"destinations\": [", "\n        ],"),
    ];

    /// The words between `from` and `to` in a file.
    fn words(file: &str, from: &str, to: &str) -> Vec<String> {
        let text = fs::read_to_string(crate::paths::root().join(file)).unwrap();
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{file} has no `{from}`"));
        let (list, _) = rest.split_once(to).unwrap_or_else(|| panic!("{file} has no `{to}` after `{from}`"));
        list.split(|character: char| !character.is_alphanumeric()).map(str::to_owned).collect()
    }

    #[test]
    fn every_list_of_destinations_has_them_all() {
        let made = include_str!("../../../src/providers/mod.rs");
        let arm = |line: &'static str| Some(line.split_once("\" => Box")?.0.trim().trim_start_matches('"'));
        let made: BTreeSet<_> = made.lines().filter_map(arm).collect();
        assert_eq!(made, NARROW.iter().map(|entry| entry.engine).collect());
        for (file, from, to) in LISTS {
            let words = words(file, from, to);
            let missing: Vec<_> = made.iter().filter(|name| !words.iter().any(|word| word == *name)).collect();
            assert!(missing.is_empty(), "{file} lacks {missing:?} after `{}`", from.trim());
        }
    }

    #[test]
    fn each_entry_has_its_own_files() {
        assert_eq!(WHOLE.import(), "partway");
        assert_eq!(NARROW.map(|entry| entry.import())[3], "partway/s3");
        assert_eq!(NARROW[3].wasm(), "s3_bg.wasm");
        let types = NARROW[3].types();
        assert!(types.contains("from \"partway/s3\"") && types.contains("= partway.S3Provider;"), "{types}");
        let required = NARROW[3].required_types();
        assert!(required.matches("\"./index.cjs\"").count() == 2 && !required.contains("index.js"), "{required}");
    }

    #[test]
    fn each_entry_has_a_module_of_its_own() {
        let module = include_str!("../../../pkg/entry.ts");
        assert_eq!(WHOLE.narrowed(module).unwrap(), module);
        let s3 = NARROW[3].narrowed(module).unwrap();
        assert!(s3.contains("from \"./dist/s3.js\"") && s3.contains("import(\"./dist/s3_inline.js\")"), "{s3}");
        assert_eq!(s3.matches("s3_bg.wasm").count(), 2, "{s3}");
        assert!(s3.contains("PROVIDERS = { s3 };") && !s3.contains("onlymonster"), "{s3}");
        assert!(s3.contains("ENTRY = \"partway/s3\";") && s3.matches("partway").count() == 1, "{s3}");
        let required = NARROW[3].finding(&s3, REQUIRES_WASM).unwrap();
        assert!(
            required.contains("require(\"./dist/s3_inline.cjs\")") && !required.contains("import.meta.url"),
            "{required}"
        );
        assert!(required.contains("WASM_FILE = \"s3_bg.wasm\""), "{required}");
        let inline = NARROW[3].finding(&s3, HAS_WASM).unwrap();
        assert!(inline.contains("from \"./dist/s3_inline.js\"") && !inline.contains("import.meta.url"), "{inline}");
    }

    #[test]
    fn another_module_fails_the_build() {
        let module = include_str!("../../../pkg/entry.ts");
        for (from, to) in [
            ("{ ofauth, onlymonster", "{ onlymonster, ofauth"),
            ("partway_bg", "x_bg"),
            ("ENTRY = ", "NAME = "),
            ("{ plan } from", "{ plan as plan } from"),
        ] {
            let error = NARROW[3].narrowed(&module.replace(from, to)).expect_err(from).to_string();
            assert!(error.contains("entries.rs must follow"), "{error}");
        }
        assert!(WHOLE.finding("", REQUIRES_WASM).is_err());
    }
}

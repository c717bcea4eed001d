//! An entry for each destination: `partway/s3` is `partway` without the other four, and a page loads less.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::write;

const TYPES: &str = include_str!("entry.d.ts");

/// Where the face says which wasm is its own.
const OWN: &str = "own.js";

/// The same in the CommonJS build.
const REQUIRED_OWN: &str = include_str!("own.js");

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
pub(super) const WHOLE: Entry = Entry { engine: "partway", script: "index", options: "Provider", budget: 114_300 };

/// Those with one.
pub(super) const NARROW: [Entry; 5] = [
    narrow("ofauth", "OfauthProvider", 74_000),
    narrow("onlymonster", "OnlymonsterProvider", 78_700),
    narrow("apifansly", "ApifanslyProvider", 69_900),
    narrow("s3", "S3Provider", 86_300),
    narrow("plan", "PlanProvider", 75_600),
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

    /// The declarations of an entry for one destination.
    pub(super) fn types(&self) -> String {
        TYPES.replace("NAME", self.engine).replace("OPTIONS", self.options)
    }

    /// The same for `require`.
    pub(super) fn required_types(&self) -> String {
        self.types().replace("./index.js", "./index.cjs")
    }

    /// Makes a copy of the face this entry's own: it knows the one destination, and loads the engine that has it.
    pub(super) fn narrow(&self, face: &Path) -> Result<()> {
        let name = self.engine;
        if name == WHOLE.engine {
            return Ok(());
        }
        let list = face.join("providers/list.js");
        ensure!(list.is_file(), "{} is missing: xtask/src/package/entries.rs must follow", list.display());
        write(&list, format!("import {{ {name} }} from \"./{name}.js\";\n\nexport const SHAPES = {{ {name} }};\n"))?;
        let whole = WHOLE.engine;
        for (module, from, to) in [
            ("core.js", format!("./dist/{whole}.js"), format!("./dist/{name}.js")),
            (OWN, format!("{whole}_"), format!("{name}_")),
        ] {
            let path = face.join(module);
            let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
            let narrowed = text.replace(&from, &to);
            ensure!(narrowed != text, "pkg/{module} names no file of dist/: xtask/src/package/entries.rs must follow");
            write(&path, narrowed)?;
        }
        Ok(())
    }

    /// Makes a copy of the face one for CommonJS.
    pub(super) fn for_require(&self, face: &Path) -> Result<()> {
        let own = face.join(OWN);
        ensure!(own.is_file(), "{} is missing: xtask/src/package/entries.rs must follow", own.display());
        write(&own, REQUIRED_OWN.replace("ENGINE", self.engine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

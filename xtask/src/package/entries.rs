//! An entry for each destination: `partway/s3` is `partway` without the other four, and a page loads less.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{WHOLE, write};

const TYPES: &str = include_str!("entry.d.ts");

/// An entry of the package beside the one with all destinations.
pub(super) struct Entry {
    /// The entry's name, which is the provider's and that of the crate's feature.
    pub(super) name: &'static str,
    /// How `index.d.ts` calls the provider's options.
    options: &'static str,
}

pub(super) const ENTRIES: [Entry; 5] = [
    Entry { name: "ofauth", options: "OfauthProvider" },
    Entry { name: "onlymonster", options: "OnlymonsterProvider" },
    Entry { name: "apifansly", options: "ApifanslyProvider" },
    Entry { name: "s3", options: "S3Provider" },
    Entry { name: "plan", options: "PlanProvider" },
];

impl Entry {
    /// What `<name>.d.ts` says.
    pub(super) fn types(&self) -> String {
        TYPES.replace("NAME", self.name).replace("OPTIONS", self.options)
    }
}

/// Makes of a copy of the face one that knows this destination alone, and loads the engine that has it.
pub(super) fn narrow(face: &Path, name: &str) -> Result<()> {
    let list = face.join("providers/list.js");
    ensure!(list.is_file(), "{} is missing: xtask/src/package/entries.rs must follow", list.display());
    write(&list, format!("import {{ {name} }} from \"./{name}.js\";\n\nexport const SHAPES = {{ {name} }};\n"))?;
    for module in ["core.js", "wasm.js"] {
        let path = face.join(module);
        let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        let narrowed = text.replace(&format!("dist/{WHOLE}"), &format!("dist/{name}"));
        ensure!(narrowed != text, "pkg/{module} names no file of dist/: xtask/src/package/entries.rs must follow");
        write(&path, narrowed)?;
    }
    Ok(())
}

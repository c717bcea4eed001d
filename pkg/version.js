/** Held to package.json and Cargo.toml by the build. */
export const version = "0.1.0";

/** The build checks that package.json and Cargo.toml have the same. */
export const version = "0.1.0";

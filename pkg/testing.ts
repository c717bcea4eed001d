export * from "./index.ts";
export { script } from "./testing/script.ts";

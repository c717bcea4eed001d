// The smallest module: magic and version, nothing else (WebAssembly Core Specification, binary format).
export default "AGFzbQEAAAA=";

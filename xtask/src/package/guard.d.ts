
export function start(module: WebAssembly.Module): Promise<void>;
export function onFatal(hook: (error: unknown) => void): void;

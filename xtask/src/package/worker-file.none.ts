/** Nothing is served beside the script. */
export function workerFile(): undefined {}

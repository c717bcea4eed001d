/**
 * Tells which files an `accept` takes, as `<input accept>` writes it: media types, those of a kind (`video/*`), extensions. Without one
 * it takes every file.
 */
export function acceptedBy(accept = ""): (file: { name: string; type: string }) => boolean {
  const patterns = accept.toLowerCase().split(",").map((pattern) => pattern.trim()).filter(Boolean);
  return ({ name, type }) => patterns.length === 0 || patterns.some((pattern) => matches(pattern, name.toLowerCase(), type));
}

function matches(pattern: string, name: string, type: string): boolean {
  if (pattern.startsWith(".")) return name.endsWith(pattern);
  if (pattern === "*" || pattern === "*/*") return true;
  if (pattern.endsWith("/*")) return type.startsWith(pattern.slice(0, -1));
  // A File's type may have parameters: "text/plain;charset=utf-8".
  return type.split(";", 1)[0] === pattern;
}

/** The named code blocks of a Markdown text, as [name, text]: those whose fence says a file's name after the language. */
export function samples(markdown) {
  return [...markdown.matchAll(/^```\w+ ([\w.-]+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]);
}

/** The commands in a sentence of the server: in backquotes, or beginning with `sudo`. A command that was cut off is none. */
export function commandsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`]+)`/g)].map(([, command = ""]) => command).filter((one) => one.includes(" "));
  const bare = [...text.replace(/`[^`]*`?/g, " ").matchAll(/\bsudo [^`;:]+/g)].map(([command]) => command.trim());
  return [...new Set([...bare, ...quoted])];
}

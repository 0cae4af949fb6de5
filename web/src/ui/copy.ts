/** Copies a text. Pages that are not served from loopback or over TLS have no clipboard: the text is then selected for the reader. */
export function copyText(text: string): void {
  navigator.clipboard?.writeText(text).catch(() => fallback(text));
  if (navigator.clipboard === undefined) fallback(text);
}

function fallback(text: string): void {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

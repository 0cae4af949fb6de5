/** The server's time, known from its answers: ranges and ages never depend on the clock of the browser. */
let offset = 0;

/** Notes what the server said its time was. */
export function noteServerTime(rfc3339: string): void {
  const time = Date.parse(rfc3339);
  if (!Number.isNaN(time)) offset = time - Date.now();
}

/** Milliseconds since 1970 on the server's clock. */
export function serverNow(): number {
  return Date.now() + offset;
}

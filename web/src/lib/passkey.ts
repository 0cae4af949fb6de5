/** Passkeys in the browser: whether there are any on this page, and asking the person for one. */

/** Why there is no answer, as a key of the catalogue. */
type Reason = "passkey.cancelled" | "passkey.known" | "passkey.elsewhere";

/** The browser or the person gave no passkey. */
export class PasskeyError extends Error {
  override readonly name = "PasskeyError";
  readonly reason: Reason;

  constructor(reason: Reason, cause: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

/** Whether passkeys can be used here: the page has the name for which the server keeps them, over TLS or as localhost. */
export function hasPasskeys(domain: string | null | undefined): boolean {
  const knows = typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
  return knows && isSecureContext && domain === location.hostname;
}

/** Makes a passkey on a device of the person's choice; what the server wants to know of it. */
export async function makePasskey(options: object): Promise<Record<string, never>> {
  const json = options as PublicKeyCredentialCreationOptionsJSON;
  return answered(() =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) }),
  );
}

/** Signs with a passkey that the person chooses; what the server wants to know of it. */
export async function askForPasskey(options: object): Promise<Record<string, never>> {
  const json = options as PublicKeyCredentialRequestOptionsJSON;
  return answered(() =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) }),
  );
}

async function answered(ask: () => Promise<Credential | null>): Promise<Record<string, never>> {
  try {
    const credential = await ask();
    if (credential instanceof PublicKeyCredential) return credential.toJSON();
  } catch (cause) {
    throw new PasskeyError(reasonOf(cause), cause);
  }
  throw new PasskeyError("passkey.cancelled", undefined);
}

/** Web Authentication, sections 5.1.3 and 5.1.4: the names of what may go wrong. */
export function reasonOf(cause: unknown): Reason {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  if (name === "InvalidStateError") return "passkey.known";
  return name === "SecurityError" ? "passkey.elsewhere" : "passkey.cancelled";
}

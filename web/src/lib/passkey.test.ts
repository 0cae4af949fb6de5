import { describe, expect, it } from "vitest";
import { hasPasskeys, PasskeyError, reasonOf } from "./passkey";

describe("passkeys", () => {
  it("are not there where the browser knows none", () => expect(hasPasskeys("localhost")).toBe(false));

  it("tell why there is no answer", () => {
    expect(reasonOf(new DOMException("", "NotAllowedError"))).toBe("passkey.cancelled");
    expect(reasonOf(new DOMException("", "InvalidStateError"))).toBe("passkey.known");
    expect(reasonOf(new DOMException("", "SecurityError"))).toBe("passkey.elsewhere");
    expect(reasonOf(7)).toBe("passkey.cancelled");
    expect(new PasskeyError("passkey.known", undefined).reason).toBe("passkey.known");
  });
});

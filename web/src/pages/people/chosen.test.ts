import { describe, expect, it } from "vitest";
import { toggled } from "./chosen";

const whole = ["traffic.read", "views.read", "views.write"];

describe("choosing permissions", () => {
  it("keeps the order of the table, whatever is pressed first", () =>
    expect(toggled(["views.write"], "traffic.read", whole)).toEqual(["traffic.read", "views.write"]));
  it("takes away what is chosen", () => expect(toggled(["views.write"], "views.write", whole)).toEqual([]));
  it("keeps what one may not give oneself", () =>
    expect(toggled(["audit.read"], "views.read", whole)).toEqual(["audit.read", "views.read"]));
});

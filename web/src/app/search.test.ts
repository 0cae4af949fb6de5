import { expect, it } from "vitest";
import { parseSearch, stringifySearch, validateSearch } from "./search";

it("gives back the state that it was given", () => {
  const state = {
    from: "-15m",
    filter: 'sni ~ "*.example.com" and port 443',
    by: "host",
    sort: "rate",
    order: "asc",
  } as const;
  expect(validateSearch(parseSearch(stringifySearch(state)))).toEqual(state);
});

it("drops words that no page knows", () =>
  expect(validateSearch({ by: "colour", order: "up", sort: 7, evil: "x", filter: "" })).toEqual({}));

it("drops texts that are too long", () => expect(validateSearch({ filter: "x".repeat(5000) })).toEqual({}));

it("writes nothing for no state", () => expect(stringifySearch({ filter: undefined })).toBe(""));

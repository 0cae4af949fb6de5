import { describe, expect, it } from "vitest";
import { exclude, include, indexOfByte, joined, negation, quote, term } from "./filter";

describe("terms", () => {
  it("quote texts and leave numbers and words bare", () => {
    expect(term("process", 'a"b')).toBe(String.raw`process = "a\"b"`);
    expect(term("port", 443)).toBe("port = 443");
    expect(term("host", "10.0.0.1", true)).toBe("host = 10.0.0.1");
  });
  it("keep the server's writing of hidden characters, and double other backslashes", () => {
    expect(quote(String.raw`a\u{202e}b`)).toBe(String.raw`"a\u{202e}b"`);
    expect(quote(String.raw`C:\x`)).toBe(String.raw`"C:\\x"`);
  });
  it("cannot be left by what a name holds", () =>
    expect(quote('" or host = any')).toBe(String.raw`"\" or host = any"`));
});

describe("including", () => {
  it("joins fields by and", () =>
    expect(joined(include(["port = 443"], 'process = "curl"'))).toBe('port = 443 and process = "curl"'));
  it("gathers values of one field", () => {
    expect(include(["port = 443"], "port = 80")).toEqual(["port in (443, 80)"]);
    expect(include(["port in (443, 80)"], "port = 80")).toEqual(["port in (443, 80)"]);
    expect(include(['name = "a, b"'], 'name = "c"')).toEqual(['name in ("a, b", "c")']);
  });
  it("means both ends when there are two hosts", () =>
    expect(include(["host = 10.0.0.1"], "host = 10.0.0.2")).toEqual(["host = 10.0.0.1", "host = 10.0.0.2"]));
  it("takes back an exclusion", () => expect(include(["port != 443"], "port = 443")).toEqual(["port = 443"]));
  it("changes nothing the second time", () => expect(include(["port = 1"], "port = 1")).toEqual(["port = 1"]));
});

describe("excluding", () => {
  it("writes the opposite of a simple term", () => expect(exclude([], "port = 443")).toEqual(["port != 443"]));
  it("gathers nothing that would mean something else", () =>
    expect(exclude(["port != 443"], "port = 80")).toEqual(["port != 443", "port != 80"]));
  it("takes back an inclusion", () => {
    expect(exclude(["port = 443"], "port = 443")).toEqual(["port != 443"]);
    expect(exclude(["port in (443, 80)"], "port = 80")).toEqual(["port = 443"]);
  });
  it("wraps what is not simple", () =>
    expect(exclude([], "protocol = tcp and port = 443")).toEqual(["not (protocol = tcp and port = 443)"]));
});

describe("negation", () => {
  it.each(["port = 443", 'name != "x"', "port in (1, 2)", "not (a or b)", 'name ~ "*.x"'])(
    "of %s undoes itself",
    (one) => expect(negation(negation(one))).toBe(one),
  );
});

describe("joining", () => {
  it("wraps an or beside an and", () => expect(joined(["a = 1 or b = 2", "c = 3"])).toBe("(a = 1 or b = 2) and c = 3"));
  it("leaves an or alone, in quotes or in parentheses", () => {
    expect(joined(["a = 1 or b = 2"])).toBe("a = 1 or b = 2");
    expect(joined(['name = "this or that"', "(a or b)"])).toBe('name = "this or that" and (a or b)');
  });
  it("is nothing for nothing", () => expect(joined([])).toBeUndefined());
});

it("finds the place that the server means in a text that is not ASCII", () => {
  expect(indexOfByte('name = "é" ü', 8)).toBe(8);
  expect(indexOfByte('name = "é" ü', 12)).toBe(11);
  expect(indexOfByte("😀x", 4)).toBe(2);
});

import { expect, it } from "vitest";
import { commandsIn } from "./commands";

it("finds commands in backquotes", () =>
  expect(commandsIn("no right: run `sudo setcap x netwatch` and restart `netwatch`")).toEqual([
    "sudo setcap x netwatch",
  ]));
it("finds commands that stand bare", () =>
  expect(commandsIn('grant it with: sudo setcap x "$(command -v netwatch)": because')).toEqual([
    'sudo setcap x "$(command -v netwatch)"',
  ]));
it("offers no command that was cut off", () => expect(commandsIn("run `sudo setcap cap_net_raw,cap_")).toEqual([]));
it("finds none where there is none", () => expect(commandsIn("eth0: is down")).toEqual([]));

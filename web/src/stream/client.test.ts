import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Socket, StreamClient } from "./client";

class FakeSocket implements Socket {
  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  sent: Record<string, unknown>[] = [];
  closed = false;
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  send(data: string) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.closed = true;
  }
  frame(id: string, data: unknown) {
    this.onmessage?.({ data: JSON.stringify({ type: "frame", id, time: "2026-01-01T00:00:00Z", missed: 0, data }) });
  }
}

let now: number;
let timers: { at: number; action: () => void }[];
let sockets: FakeSocket[];
const onRefused = vi.fn();

function newest(): FakeSocket {
  const socket = sockets.at(-1);
  if (socket === undefined) throw new Error("no socket was opened");
  return socket;
}

function newClient(): StreamClient {
  return new StreamClient({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    now: () => now,
    random: () => 1,
    after: (milliseconds, action) => {
      const timer = { at: now + milliseconds, action };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    onRefused,
  });
}

function pass(milliseconds: number) {
  const end = now + milliseconds;
  for (;;) {
    const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    timers = timers.filter((timer) => timer !== next);
    now = next.at;
    next.action();
  }
  now = end;
}

const rates = (to: string) => ({ name: "rates", value: { to } });

beforeEach(() => {
  now = 1_000_000;
  timers = [];
  sockets = [];
  onRefused.mockClear();
});

describe("subscriptions", () => {
  it("are sent once the socket is open, and ended when no longer wanted", () => {
    const client = newClient();
    const end = client.subscribe({ topic: { name: "events" }, interval: 1000, onFrame: () => {} });
    client.start();
    expect(newest().sent).toEqual([]);
    newest().open();
    expect(newest().sent).toEqual([{ type: "subscribe", id: "1", topic: { name: "events" }, interval: 1000 }]);
    end();
    expect(newest().sent[1]).toEqual({ type: "unsubscribe", id: "1" });
  });

  it("get only their own frames", () => {
    const client = newClient();
    const [first, second] = [vi.fn(), vi.fn()];
    client.start();
    newest().open();
    client.subscribe({ topic: { name: "events" }, onFrame: first });
    client.subscribe({ topic: { name: "statistics" }, onFrame: second });
    newest().frame("2", { name: "statistics", value: {} });
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledOnce();
  });

  it("hand a refusal to the one who asked", () => {
    const client = newClient();
    const onProblem = vi.fn();
    client.start();
    newest().open();
    client.subscribe({ topic: { name: "rates", by: "host", filter: "((" }, onFrame: () => {}, onProblem });
    newest().onmessage?.({ data: JSON.stringify({ type: "error", id: "1", problem: { detail: "no" } }) });
    expect(onProblem).toHaveBeenCalledWith({ detail: "no" });
  });
});

describe("after a break", () => {
  it("asks for rates since the last frame, and not for what was ended", () => {
    const client = newClient();
    client.start();
    newest().open();
    client.subscribe({ topic: { name: "rates", by: "host" }, since: () => "2026-01-01T00:00:00Z", onFrame: () => {} });
    expect(newest().sent[0]).toMatchObject({ since: "2026-01-01T00:00:00Z" });
    client.subscribe({ topic: { name: "events" }, onFrame: () => {} })();
    newest().frame("1", rates("2026-01-01T00:05:00Z"));
    newest().onclose?.();
    expect(client.state().phase).toBe("waiting");
    pass(500);
    newest().open();
    expect(sockets).toHaveLength(2);
    expect(newest().sent).toEqual([
      { type: "subscribe", id: "1", topic: { name: "rates", by: "host" }, since: "2026-01-01T00:05:00Z" },
    ]);
  });

  it("waits twice as long each time, at most 15 s, and starts over once it was open", () => {
    const client = newClient();
    client.start();
    const waits: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      newest().onclose?.();
      waits.push((client.state().retryAt ?? 0) - now);
      pass(15_000);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(onRefused).toHaveBeenCalledTimes(7);
    newest().open();
    newest().onclose?.();
    expect((client.state().retryAt ?? 0) - now).toBe(500);
  });

  it("tries at once when told to", () => {
    const client = newClient();
    client.start();
    newest().onclose?.();
    client.retryNow();
    expect(sockets).toHaveLength(2);
    pass(60_000);
    expect(sockets).toHaveLength(2);
  });
});

it("takes ten silent seconds for a break", () => {
  const client = newClient();
  client.start();
  newest().open();
  client.subscribe({ topic: { name: "statistics" }, onFrame: () => {} });
  pass(8000);
  newest().frame("1", { name: "statistics", value: {} });
  pass(9000);
  expect(client.state().phase).toBe("open");
  pass(3500);
  expect(sockets[0]?.closed).toBe(true);
  expect(sockets.length).toBeGreaterThan(1);
});

it("opens nothing after it was stopped", () => {
  const client = newClient();
  client.start();
  newest().open();
  client.stop();
  pass(60_000);
  expect(sockets).toHaveLength(1);
  expect(client.state().phase).toBe("idle");
});

it("closes a socket that was stopped while it was opening only once it is open, and hears nothing of it", () => {
  const client = newClient();
  client.subscribe({ topic: { name: "events" }, onFrame: () => {} });
  client.start();
  const stopped = newest();
  client.stop();
  // Browsers write an error to the console for a socket closed before it is open.
  expect(stopped.closed).toBe(false);
  client.start();
  stopped.open();
  expect(stopped.closed).toBe(true);
  expect(stopped.sent).toEqual([]);
  expect(sockets).toHaveLength(2);
  expect(client.state().phase).toBe("connecting");
});

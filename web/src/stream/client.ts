/**
 * The one WebSocket of the app: typed subscriptions that survive breaks.
 *
 * After a break it connects again with exponential backoff and jitter, and subscribes to everything anew; rates are asked for
 * since the last frame, so that the chart has no hole. A connection that has been silent for ten seconds counts as broken.
 *
 * Limits: frames are handed over as they come; nothing is queued here. The server tells how many a slow client has missed.
 */
import type { ClientMessage, Problem, ServerMessage, Topic } from "~/api/schema";

export type Frame = Extract<ServerMessage, { type: "frame" }>;

export type StreamState = {
  /** `waiting`: broken, will try again at `retryAt`. `idle`: not started. */
  readonly phase: "idle" | "connecting" | "open" | "waiting";
  /** Milliseconds on the browser's clock. */
  readonly retryAt: number | undefined;
  /** Arrival of the newest frame, milliseconds on the browser's clock. */
  readonly lastFrameAt: number | undefined;
};

export type Subscription = {
  topic: Topic;
  /** Milliseconds between frames. */
  interval?: number;
  /** RFC 3339; for rates: first send what happened since then. A function is asked when the subscription is sent. */
  since?: string | (() => string) | undefined;
  onFrame: (frame: Frame) => void;
  onProblem?: (problem: Problem) => void;
};

export type Socket = Pick<WebSocket, "send" | "close" | "readyState"> & {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
};

/** Everything that the client needs of its surroundings, so that tests can stand in for it. */
export type StreamDependencies = {
  open: () => Socket;
  now: () => number;
  random: () => number;
  /** Runs `action` after that many milliseconds; the result cancels it. */
  after: (milliseconds: number, action: () => void) => () => void;
  /** Called when a connection could not be opened: the session may have ended. */
  onRefused: () => void;
};

const firstRetry = 500;
const longestRetry = 15_000;
const silence = 10_000;

/** `WebSocket.CONNECTING`. */
const connecting = 0;

export class StreamClient {
  #deps: StreamDependencies;
  #socket: Socket | undefined;
  #subscriptions = new Map<string, Subscription>();
  #nextId = 1;
  #attempt = 0;
  #cancelTimer: (() => void) | undefined;
  #state: StreamState = { phase: "idle", retryAt: undefined, lastFrameAt: undefined };
  #listeners = new Set<() => void>();

  constructor(deps: StreamDependencies) {
    this.#deps = deps;
  }

  readonly state = (): StreamState => this.#state;

  readonly onState = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): void {
    if (this.#state.phase === "idle") this.#connect();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#drop();
    this.#attempt = 0;
    this.#set({ phase: "idle", retryAt: undefined });
  }

  /** Tries at once instead of waiting for the next try. */
  retryNow(): void {
    if (this.#state.phase !== "waiting") return;
    this.#cancelTimer?.();
    this.#connect();
  }

  /** The result ends the subscription. */
  subscribe(subscription: Subscription): () => void {
    const id = String(this.#nextId);
    this.#nextId += 1;
    this.#subscriptions.set(id, subscription);
    if (this.#state.phase === "open") this.#ask(id, subscription);
    return () => {
      this.#subscriptions.delete(id);
      if (this.#state.phase === "open") this.#send({ type: "unsubscribe", id });
    };
  }

  #connect(): void {
    this.#set({ phase: "connecting", retryAt: undefined });
    const socket = this.#deps.open();
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#attempt = 0;
      this.#set({ phase: "open" });
      for (const [id, subscription] of this.#subscriptions) this.#ask(id, subscription);
      this.#watch();
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#drop();
      if (!opened) this.#deps.onRefused();
      this.#wait();
    };
  }

  #wait(): void {
    const ceiling = Math.min(longestRetry, firstRetry * 2 ** this.#attempt);
    const delay = ceiling / 2 + (this.#deps.random() * ceiling) / 2;
    this.#attempt += 1;
    this.#set({ phase: "waiting", retryAt: this.#deps.now() + delay });
    this.#cancelTimer?.();
    this.#cancelTimer = this.#deps.after(delay, () => this.#connect());
  }

  #watch(): void {
    const opened = this.#deps.now();
    const look = () => {
      const last = Math.max(opened, this.#state.lastFrameAt ?? 0);
      if (this.#subscriptions.size > 0 && this.#deps.now() - last >= silence) {
        this.#drop();
        this.#wait();
        return;
      }
      this.#cancelTimer = this.#deps.after(silence / 4, look);
    };
    this.#cancelTimer?.();
    this.#cancelTimer = this.#deps.after(silence / 4, look);
  }

  #receive(data: unknown): void {
    if (typeof data !== "string") return;
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "error") {
      if (message.id != null) this.#subscriptions.get(message.id)?.onProblem?.(message.problem);
      return;
    }
    const subscription = this.#subscriptions.get(message.id);
    this.#state = { ...this.#state, lastFrameAt: this.#deps.now() };
    if (subscription === undefined) return;
    if (message.data.name === "rates") subscription.since = message.data.value.to;
    subscription.onFrame(message);
  }

  #ask(id: string, { topic, interval, since }: Subscription): void {
    this.#send({
      type: "subscribe",
      id,
      topic,
      ...(interval === undefined ? {} : { interval }),
      ...(since === undefined ? {} : { since: typeof since === "string" ? since : since() }),
    });
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onclose = null;
    socket.onmessage = null;
    // Browsers report a socket that is closed before it is open as an error in the console: it opens first, to nobody.
    socket.onopen = socket.readyState === connecting ? () => socket.close() : null;
    if (socket.readyState !== connecting) socket.close();
  }

  #set(change: Partial<StreamState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

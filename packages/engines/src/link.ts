import { Socket } from "node:net";
import { note } from "./arrivals.ts";
import type { Barrier } from "./gate.ts";
import type { Hearing } from "./hearing.ts";
import type { Readdress } from "./readdress.ts";

/** Where a server listens. */
export type Upstream = { readonly host: string; readonly port: number } | { readonly path: string };

/** How much a direction may hold back before its sender is made to wait. */
const highWaterBytes = 1 << 20;

/** What a proxy does to its connections at the moment, and what it wants to know of them. */
export interface Weather {
  swallows(): boolean;
  delayMs(): number;
  sent(direction: "up" | "down", bytes: number): void;
  closed(): void;
}

/** One client connection and its counterpart at the server. */
export class Link {
  /** It has lost bytes, or was never connected: it can't go on as if nothing had been. */
  damaged = false;
  readonly #client: Socket;
  readonly #server = new Socket({ allowHalfOpen: true });
  readonly #weather: Weather;
  readonly #lanes: Lane[] = [];

  constructor(
    client: Socket,
    upstream: Upstream,
    weather: Weather,
    hearing: Hearing | undefined,
    readdress: ReturnType<Readdress> | undefined,
  ) {
    this.#client = client;
    this.#weather = weather;
    for (const socket of [this.#client, this.#server]) {
      socket.on("error", () => {
        // A reset, too, is lost on its way through a black hole.
        if (weather.swallows()) this.#damage();
        else this.reset();
      });
      socket.on("close", () => {
        // Half-closed on purpose is not closed: this fires when both directions are over.
        if (this.#client.destroyed && this.#server.destroyed) weather.closed();
      });
    }
    const damaged = () => this.#damage();
    this.#lanes.push(new Lane("up", this.#client, this.#server, weather, hearing, damaged));
    this.#lanes.push(
      new Lane("down", this.#server, this.#client, weather, hearing, damaged, readdress),
    );
    if (weather.swallows()) this.#damage();
    else {
      this.#server.setNoDelay(true).connect(upstream);
      // Its port is known as soon as it has begun. It may be accepted, and yet be reset here before
      // it is told to be open.
      if ("port" in upstream) process.nextTick(() => note(upstream.port, this.#server.localPort));
    }
  }

  #damage(): void {
    this.damaged = true;
  }

  hurry(): void {
    for (const lane of this.#lanes) lane.hurry();
  }

  ship(): void {
    for (const lane of this.#lanes) lane.ship();
  }

  reset(): void {
    for (const lane of this.#lanes) lane.drop();
    for (const socket of [this.#client, this.#server]) {
      if (socket.destroyed) continue;
      // A socket that never connected has nothing to reset. One that is being shut down refuses to
      // be (EINVAL), and would stay open for ever.
      const unconnected = socket === this.#server && (socket.connecting || socket.pending);
      const shutting = socket.writableEnded && !socket.writableFinished;
      // A Unix socket knows no resets, and has no address.
      if (unconnected || shutting || !socket.remoteAddress) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.#weather.closed();
  }
}

interface Parcel {
  readonly due: number;
  /** Undefined is the end of the stream; nothing passes a barrier that isn't open. */
  readonly load: Buffer | Barrier | undefined;
}

/** One direction of a link: a queue that keeps order, delays, and makes its source wait when it fills. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #hearing: Hearing | undefined;
  readonly #direction: "up" | "down";
  readonly #damaged: () => void;
  #queue: Parcel[] = [];
  #queuedBytes = 0;
  #lastDue = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    direction: "up" | "down",
    from: Socket,
    to: Socket,
    weather: Weather,
    hearing: Hearing | undefined,
    damaged: () => void,
    readdress: ReturnType<Readdress> = (bytes) => bytes,
  ) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#hearing = hearing;
    this.#direction = direction;
    this.#damaged = damaged;
    const take = (bytes: Buffer | undefined) => {
      if (weather.swallows()) return damaged();
      if (bytes) weather.sent(direction, bytes.length);
      this.#put(bytes && readdress(bytes));
    };
    from.on("data", take);
    from.on("end", () => take(undefined));
    to.on("drain", () => this.ship());
  }

  /** What waits goes out now. */
  hurry(): void {
    const now = Date.now();
    this.#lastDue = now;
    this.#queue = this.#queue.map(({ load }) => ({ due: now, load }));
    this.ship();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #put(bytes: Buffer | undefined): void {
    const delayMs = this.#weather.delayMs();
    const due =
      delayMs === 0 && this.#queue.length === 0 ? 0 : Math.max(this.#lastDue, Date.now() + delayMs);
    this.#lastDue = due;
    let from = 0;
    if (bytes && this.#hearing) {
      for (const { at, barrier } of this.#hearing.hear(
        this.#direction === "up" ? "request" : "reply",
        bytes,
      )) {
        if (at > from) this.#queue.push({ due, load: bytes.subarray(from, at) });
        this.#queue.push({ due, load: barrier });
        from = at;
      }
    }
    this.#queue.push({ due, load: from > 0 ? bytes?.subarray(from) : bytes });
    this.#queuedBytes += bytes?.length ?? 0;
    this.ship();
    if (this.#queuedBytes > highWaterBytes) this.#from.pause();
  }

  ship(): void {
    clearTimeout(this.#timer);
    if (this.#queue.length > 0 && this.#weather.swallows()) {
      this.#damaged();
      this.#queue = [];
      this.#queuedBytes = 0;
    }
    while (!this.#to.destroyed && !this.#to.writableNeedDrain) {
      const parcel = this.#queue[0];
      if (!parcel) break;
      const waitMs = parcel.due - Date.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.ship(), waitMs);
        break;
      }
      const { load } = parcel;
      if (load && !Buffer.isBuffer(load)) {
        if (!load.open) break;
        this.#queue.shift();
        continue;
      }
      this.#queue.shift();
      this.#queuedBytes -= load?.length ?? 0;
      if (load) this.#to.write(load);
      else this.#to.end();
    }
    if (this.#queuedBytes <= highWaterBytes && this.#from.isPaused()) this.#from.resume();
  }
}

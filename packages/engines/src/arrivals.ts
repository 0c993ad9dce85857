import { subscribe } from "node:diagnostics_channel";
import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** Connections that this process has made, by the port they lead to and the port they come from. */
const made = new Map<number, Map<number, number>>();
/** How many servers have had a port; one that is down may have lost it to another. */
const followers = new Map<number, number>();

/** Counts a connection of this process, if it leads to a server that is followed. */
export function note(to: number | undefined, from: number | undefined): void {
  const counts = to === undefined ? undefined : made.get(to);
  if (counts && from) counts.set(from, (counts.get(from) ?? 0) + 1);
}

// Clients of ours too, whichever library opens them, as long as it calls `net.connect`.
subscribe("net.client.socket", (message) => {
  const { socket } = message as { socket: Socket };
  let to: number | undefined;
  let from: number | undefined;
  socket.on("connectionAttempt", (_ip, port) => {
    to = port;
    // It is connected next, and has a port of its own from then on.
    process.nextTick(() => {
      from = socket.localPort;
    });
  });
  let connected = false;
  socket.once("connect", () => {
    connected = true;
    note(socket.remotePort, socket.localPort);
  });
  // The server may have accepted what was given up here before anybody was told.
  socket.once("close", () => {
    if (!connected) note(to, from);
  });
});

interface Arrival {
  /** Where in the log it is told. */
  readonly at: number;
  readonly namespace: string | undefined;
}

/**
 * Who connected to one server, by its own log. A connection that this process did not make came
 * around our proxies. Connections are counted by where they come from, not only looked up: a port
 * that was ours once proves nothing.
 */
export class Arrivals {
  readonly #file: string;
  readonly #pattern: RegExp;
  readonly #ports = new Set<number>();
  readonly #byPort = new Map<number, Arrival[]>();
  #read = 0;
  #reading: Promise<void> = Promise.resolve();

  /** @param pattern see `EngineDefinition.arrivals` */
  constructor(file: string, pattern: RegExp) {
    this.#file = file;
    this.#pattern = pattern;
  }

  /** From now on, connections to that port are counted. */
  follow(port: number): void {
    if (this.#ports.has(port)) return;
    this.#ports.add(port);
    followers.set(port, (followers.get(port) ?? 0) + 1);
    if (!made.has(port)) made.set(port, new Map());
  }

  end(): void {
    for (const port of this.#ports) {
      const others = (followers.get(port) ?? 1) - 1;
      followers.set(port, others);
      if (others > 0) continue;
      followers.delete(port);
      made.delete(port);
    }
    this.#ports.clear();
  }

  /** A place in the log, to count from. */
  now(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * @returns how many connections to that namespace (or to who knows which) are none of this process's
   */
  async strangers(since: number, namespace: string): Promise<number> {
    this.#reading = this.#reading.then(() => this.#follow());
    await this.#reading;
    // Of what the log tells, this process may yet have to be told: a whole turn of the event loop.
    await turn();
    await turn();
    let strangers = 0;
    for (const [port, arrivals] of this.#byPort) {
      const surplus = arrivals.length - this.#madeFrom(port);
      if (surplus <= 0) continue;
      strangers += arrivals
        .slice(-surplus)
        .filter((each) => each.at >= since && (each.namespace ?? namespace) === namespace).length;
    }
    return strangers;
  }

  #madeFrom(port: number): number {
    let sum = 0;
    for (const each of this.#ports) sum += made.get(each)?.get(port) ?? 0;
    return sum;
  }

  /** Reads what the log has gained, up to its last whole line. */
  async #follow(): Promise<void> {
    const size = this.now() - this.#read;
    if (size <= 0) return;
    await using file = await open(this.#file);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, this.#read);
    const text = buffer.subarray(0, bytesRead).toString("latin1");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    for (const { groups, index } of whole.matchAll(this.#pattern)) {
      const port = Number(groups?.port);
      const arrival = { at: this.#read + index, namespace: groups?.namespace };
      this.#byPort.set(port, [...(this.#byPort.get(port) ?? []), arrival]);
    }
    this.#read += whole.length;
  }
}

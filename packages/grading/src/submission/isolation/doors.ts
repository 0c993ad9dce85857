import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, Server, Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { TcpProxy } from "@db-katas/engines";

/** What an app node may send over one connection, in bytes: the grader keeps what it reads. */
const BYTES_MAX = 64 << 20;

/**
 * What connects the loopback of this machine and that of an app node's own network namespace: doors
 * lead from there to ours, windows from ours to there.
 */
export class Doors implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<TcpProxy>>();
  readonly #windows = new Map<number, Promise<Server>>();
  readonly #dialled = new Map<number, PromiseWithResolvers<Socket>>();
  readonly #connections = new Set<Socket>();
  #serial = 0;

  /** @param child has the doorkeeper at the other end of its IPC channel */
  constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message, handle) => {
      const { port, connection, error } = message as {
        port: number;
        connection?: number;
        error?: string;
      };
      if (connection !== undefined) {
        const dialled = this.#dialled.get(connection);
        this.#dialled.delete(connection);
        if (handle instanceof Socket) dialled?.resolve(handle);
        else dialled?.reject(new Error(`no connection: ${error}`));
        return;
      }
      const waiting = this.#open.get(port);
      if (!(handle instanceof Server)) waiting?.reject(new Error(`no door at ${port}: ${error}`));
      else waiting?.resolve(TcpProxy.through(handle, { host: "127.0.0.1", port }));
    });
    child.once("exit", () => {
      const ended = new Error("the app node has ended");
      for (const { reject } of this.#open.values()) reject(ended);
      for (const { reject } of this.#dialled.values()) reject(ended);
    });
  }

  /** Makes 127.0.0.1:port of the app node lead to ours. */
  async open(port: number): Promise<void> {
    let door = this.#open.get(port);
    if (!door) {
      door = Promise.withResolvers<TcpProxy>();
      door.promise.catch(() => {});
      this.#open.set(port, door);
      this.#child.send({ port }, (error) => error && door?.reject(error));
    }
    await door.promise;
  }

  /** @returns a port of ours that leads to the app node's, whether or not anybody listens there */
  async lookIn(port: number): Promise<number> {
    let window = this.#windows.get(port);
    if (!window) {
      const server = createServer((ours) => this.#join(ours, port)).listen(0, "127.0.0.1");
      window = once(server, "listening").then(() => server.unref());
      this.#windows.set(port, window);
    }
    return ((await window).address() as AddressInfo).port;
  }

  /** Resolves when all that were asked for are open, or can't be. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((each) => each.promise));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    for (const window of this.#windows.values()) (await window).close();
    const doors = await Promise.allSettled([...this.#open.values()].map((each) => each.promise));
    await Promise.all(doors.map((each) => (each.status === "fulfilled" ? each.value.close() : 0)));
  }

  async #join(ours: Socket, port: number): Promise<void> {
    this.#connections.add(ours);
    // A client that goes early is nobody's failure.
    ours.on("error", () => {});
    try {
      const theirs = await this.#dial(port);
      await Promise.all([pipeline(ours, theirs), pipeline(theirs, atMost(BYTES_MAX), ours)]);
    } catch {
      ours.resetAndDestroy();
    } finally {
      this.#connections.delete(ours);
    }
  }

  async #dial(port: number): Promise<Socket> {
    const connection = this.#serial++;
    const dialled = Promise.withResolvers<Socket>();
    this.#dialled.set(connection, dialled);
    this.#child.send({ port, connection }, (error) => error && dialled.reject(error));
    return dialled.promise;
  }
}

function atMost(bytes: number) {
  return async function* (chunks: AsyncIterable<Buffer>) {
    let left = bytes;
    for await (const chunk of chunks) {
      left -= chunk.length;
      if (left < 0) throw new Error(`more than ${bytes} bytes`);
      yield chunk;
    }
  };
}

import type { ChildProcess } from "node:child_process";
import { Server } from "node:net";
import { TcpProxy } from "@db-katas/engines";

/** Addresses of this machine's loopback that an app node reaches from its own network namespace. */
export class Doors implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<TcpProxy>>();

  /** @param child has the doorkeeper at the other end of its IPC channel */
  constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message, handle) => {
      const { port, error } = message as { port: number; error?: string };
      const waiting = this.#open.get(port);
      if (!(handle instanceof Server)) waiting?.reject(new Error(`no door at ${port}: ${error}`));
      else waiting?.resolve(TcpProxy.through(handle, { host: "127.0.0.1", port }));
    });
    child.once("exit", () => {
      for (const { reject } of this.#open.values()) reject(new Error("the app node has ended"));
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

  /** Resolves when all that were asked for are open, or can't be. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((each) => each.promise));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const doors = await Promise.allSettled([...this.#open.values()].map((each) => each.promise));
    await Promise.all(doors.map((each) => (each.status === "fulfilled" ? each.value.close() : 0)));
  }
}

import { type Lease, portsOf } from "@db-katas/engines";
import type { AppProcess } from "../submission/process.ts";

/** The addresses that the isolated app nodes of a check are given, which they must also reach. */
export class Reach {
  readonly #ports = new Set<number>();
  readonly #processes = new Set<AppProcess>();

  add(process: AppProcess): void {
    this.#processes.add(process);
    for (const port of this.#ports) process.reach(port).catch(() => {});
  }

  /** The same lease; an address that it gives out works in every app node. */
  through(lease: Lease): Lease {
    const urlFor = async (node: string) => {
      const url = await lease.urlFor(node);
      for (const port of portsOf(url).values()) {
        if (!port) continue;
        this.#ports.add(port);
        await Promise.allSettled([...this.#processes].map((process) => process.reach(port)));
      }
      return url;
    };
    return new Proxy(lease, {
      get(target, key) {
        if (key === "urlFor") return urlFor;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}

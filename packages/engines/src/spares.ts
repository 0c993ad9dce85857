import type { Engine } from "./engine.ts";

/** With less memory than this left on the machine, in bytes, no more servers are kept for nobody yet. */
export const spareBytes = 2 ** 30;

/** A server for which nobody has asked yet. */
interface Spare {
  readonly key: string | undefined;
  readonly engine: Promise<Engine>;
  ready: boolean;
}

/**
 * Servers of one engine that are started ahead. Who is the second in a row to ask for such a server has
 * the next one started: leases that differ from each other would start one in vain each. Who has to wait
 * for it all the same has one more started.
 */
export class Spares {
  readonly #most: number;
  #spares: Spare[] = [];
  #last: { readonly key: string | undefined } | undefined;
  /** How many there are to be. */
  #size = 1;
  #ended = false;

  /** @param most of them at a time */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param key of the template that is in it, if any
   * @param start starts one that holds it
   */
  async take(key: string | undefined, start: () => Promise<Engine>): Promise<Engine> {
    const again = this.#last !== undefined && this.#last.key === key;
    this.#last = { key };
    const fitting = this.#spares.filter((each) => each.key === key);
    const chosen = fitting.find(({ ready }) => ready) ?? fitting[0];
    this.#spares = this.#spares.filter((each) => each !== chosen);
    if (again) this.#endOthers(key);
    else this.#size = 1;
    if (chosen && !chosen.ready && this.#size < this.#most) this.#size += 1;
    const engine = await (chosen?.engine ?? start());
    if (again && this.#last.key === key) this.#refill(key, start);
    return engine;
  }

  /** Ends those that nobody has, and starts no more. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.allSettled(this.#spares.map(finish));
  }

  #refill(key: string | undefined, start: () => Promise<Engine>): void {
    while (this.#spares.length < this.#size && !this.#ended) {
      if (this.#spares.length > 0 && process.availableMemory() < spareBytes) return;
      const next: Spare = { key, engine: start(), ready: false };
      this.#spares.push(next);
      next.engine.then(
        () => {
          next.ready = true;
        },
        () => {
          this.#spares = this.#spares.filter((each) => each !== next);
        },
      );
    }
  }

  #endOthers(key: string | undefined): void {
    const others = this.#spares.filter((each) => each.key !== key);
    this.#spares = this.#spares.filter((each) => each.key === key);
    for (const each of others) finish(each).catch(() => {});
  }
}

async function finish({ engine }: Spare): Promise<void> {
  await (await engine)[Symbol.asyncDispose]();
}

import type { Recycler, Recycling, Server } from "./definition.ts";
import { spareBytes } from "./spares.ts";
import type { LeaseTemplate } from "./types.ts";

/** What a template has become: contents that a client can put into a server, or else a folder to start from. */
interface Built {
  readonly key: string | undefined;
  readonly contents?: unknown;
  readonly seed?: string;
}

interface Served {
  readonly server: Server;
  readonly client: Recycler;
}

interface Kept extends Served {
  readonly holds: Built;
}

const nothing: Built = { key: undefined };

/**
 * Servers of an engine that has one database each, handed on from lease to lease: what is given back
 * is renewed in the background, and holds what it held at first, since that is wanted again most often.
 */
export class Circulation {
  readonly #recycling: Recycling;
  readonly #start: (seed?: string) => Promise<Server>;
  readonly #templates = new Map<string, Promise<Built>>();
  /** Ready for a lease. */
  #kept: Kept[] = [];
  /** Those that are being renewed or started for nobody yet, with what they will hold; none of them fails. */
  readonly #coming = new Map<Promise<void>, Built>();
  #waiting = 0;
  /** What the last lease wanted. */
  #last: Built | undefined;
  #ended = false;

  /** @param start starts a server, of a folder that {@link Server.snapshot} made or an empty one */
  constructor(recycling: Recycling, start: (seed?: string) => Promise<Server>) {
    this.#recycling = recycling;
    this.#start = start;
  }

  /** A server that holds the template and nothing else; its end is to be given back. */
  async take(template: LeaseTemplate | undefined): Promise<Server> {
    // Each of these serves whoever comes next, unlike those that are started from a folder.
    if (this.#last && isPortable(this.#last)) this.#startAhead(this.#last);
    const wanted = template ? await this.#built(template) : nothing;
    const one = (await this.#keptOne(wanted)) ?? (await this.#startOne(wanted));
    if (this.#last === wanted) {
      this.#endUseless(wanted);
      this.#startAhead(wanted);
    }
    this.#last = wanted;
    return this.#lend(one, wanted);
  }

  /** Ends those that nobody has, and from now on those that are given back. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#coming.keys());
    await Promise.allSettled(this.#kept.splice(0).map(finish));
  }

  #built(template: LeaseTemplate): Promise<Built> {
    let built = this.#templates.get(template.key);
    if (!built) {
      built = this.#build(template);
      this.#templates.set(template.key, built);
      built.catch(() => this.#templates.delete(template.key));
    }
    return built;
  }

  async #build({ key, build }: LeaseTemplate): Promise<Built> {
    const one = (await this.#keptOne(nothing)) ?? (await this.#startOne(nothing));
    const { server, client } = one;
    try {
      await build(server.adminUrl);
      const contents = await client.read();
      const seed = contents === undefined ? await server.snapshot?.() : undefined;
      const built = { key, contents, ...(seed === undefined ? {} : { seed }) };
      this.#kept.push({ ...one, holds: built });
      return built;
    } catch (error) {
      await finish(one);
      throw error;
    }
  }

  /** One that is ready, or will be in a moment; undefined when a new one must be started. */
  async #keptOne(wanted: Built): Promise<Served | undefined> {
    for (;;) {
      const found = this.#pick(wanted);
      if (found?.holds === wanted) return found;
      if (found && (await this.#renew(found, wanted))) return found;
      if (found) continue;
      const coming = [...this.#coming].filter(([, holds]) => serves(holds, wanted));
      if (coming.length <= this.#waiting) return undefined;
      this.#waiting += 1;
      await Promise.race(coming.map(([each]) => each));
      this.#waiting -= 1;
    }
  }

  #pick(wanted: Built): Kept | undefined {
    const found =
      this.#kept.find(({ holds }) => holds === wanted) ??
      this.#kept.find(({ holds }) => serves(holds, wanted));
    this.#kept = this.#kept.filter((each) => each !== found);
    return found;
  }

  async #startOne(wanted: Built): Promise<Served> {
    const server = await this.#start(wanted.seed);
    const one = { server, client: await this.#recycling.open(server) };
    try {
      if (wanted.contents !== undefined) await one.client.renew(wanted.contents);
      return one;
    } catch (error) {
      await finish(one);
      throw error;
    }
  }

  #startAhead(wanted: Built): void {
    const { ahead = 0 } = this.#recycling;
    if (this.#ended || ahead === 0) return;
    const there = [...this.#kept.map(({ holds }) => holds), ...this.#coming.values()];
    let free = there.filter((holds) => serves(holds, wanted)).length;
    for (; free < ahead && process.availableMemory() >= spareBytes; free += 1)
      this.#comes(this.#startOne(wanted), wanted);
  }

  /** Those that were started for what nobody wants any more, and can't be made to hold anything else. */
  #endUseless(wanted: Built): void {
    const useless = this.#kept.filter(({ holds }) => holds !== wanted && !isPortable(holds));
    this.#kept = this.#kept.filter((each) => !useless.includes(each));
    for (const each of useless)
      this.#comes(
        finish(each).then(() => undefined),
        each.holds,
      );
  }

  /** Keeps what is on its way to be ready, if it gets there. */
  #comes(one: Promise<Served | undefined>, holds: Built): void {
    const coming: Promise<void> = one
      // What fails is told to nobody: the next lease that needs a start will meet it again.
      .catch(() => undefined)
      .then((served) => {
        this.#coming.delete(coming);
        if (served) this.#kept.push({ ...served, holds });
      });
    this.#coming.set(coming, holds);
  }

  /** @returns undefined when it could not be done, and the server has been ended */
  async #renew(one: Served, holds: Built): Promise<Served | undefined> {
    try {
      await one.client.renew(holds.contents);
      return one;
    } catch {
      await finish(one);
      return undefined;
    }
  }

  #lend(one: Served, holds: Built): Server {
    const { server } = one;
    let pulled = false;
    const control =
      server.control &&
      overlaid(server.control, () => {
        pulled = true;
        return undefined;
      });
    const end = async () => {
      const enough = this.#kept.length > 0 && process.availableMemory() < spareBytes;
      // What a fault has hit is not what it was.
      if (this.#ended || pulled || enough || !isPortable(holds)) return finish(one);
      this.#comes(this.#renew(one, holds), holds);
    };
    const own = new Map<PropertyKey, unknown>([
      ["control", control],
      ["end", end],
    ]);
    return overlaid(server, (name) => (own.has(name) ? { value: own.get(name) } : undefined));
  }
}

async function finish({ server, client }: Served): Promise<void> {
  await client.close().catch(() => {});
  await server.end();
}

function isPortable({ key, contents }: Built): boolean {
  return key === undefined || contents !== undefined;
}

/** Whether a server that holds the one can be made to hold the other: what no client can put there comes with a start. */
function serves(holds: Built, wanted: Built): boolean {
  return holds === wanted || (isPortable(holds) && isPortable(wanted));
}

/** An object as it is, but for the members that somebody answers for it. */
function overlaid<T extends object>(
  object: T,
  answer: (name: PropertyKey) => { readonly value: unknown } | undefined,
): T {
  return new Proxy(object, {
    get(target, name) {
      const answered = answer(name);
      if (answered) return answered.value;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

import type { Recycler, Recycling, Server } from "./definition.ts";
import type { LeaseTemplate } from "./types.ts";

/** With less memory than this left on the machine, in bytes, no second server is kept for nobody yet. */
const spareBytes = 2 ** 30;

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
  readonly #renewals = new Set<Promise<void>>();
  #waiting = 0;
  #ended = false;

  /** @param start starts a server, of a folder that {@link Server.snapshot} made or an empty one */
  constructor(recycling: Recycling, start: (seed?: string) => Promise<Server>) {
    this.#recycling = recycling;
    this.#start = start;
  }

  /** A server that holds the template and nothing else; its end is to be given back. */
  async take(template: LeaseTemplate | undefined): Promise<Server> {
    const wanted = template ? await this.#built(template) : nothing;
    return this.#lend((await this.#keptOne(wanted)) ?? (await this.#startOne(wanted)), wanted);
  }

  /** Ends those that nobody has, and from now on those that are given back. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#renewals);
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
      if (!isPortable(wanted) || this.#renewals.size <= this.#waiting) return undefined;
      this.#waiting += 1;
      await Promise.race(this.#renewals);
      this.#waiting -= 1;
    }
  }

  #pick(wanted: Built): Kept | undefined {
    const found =
      this.#kept.find(({ holds }) => holds === wanted) ??
      // What can't be put into a server comes with a start only.
      (isPortable(wanted) ? this.#kept.find(({ holds }) => isPortable(holds)) : undefined);
    this.#kept = this.#kept.filter((each) => each !== found);
    return found;
  }

  async #startOne(wanted: Built): Promise<Served> {
    const server = await this.#start(wanted.seed);
    const one = { server, client: await this.#recycling.open(server.adminUrl) };
    try {
      if (wanted.contents !== undefined) await one.client.renew(wanted.contents);
      return one;
    } catch (error) {
      await finish(one);
      throw error;
    }
  }

  /** @returns false when it could not be done, and the server has been ended */
  async #renew(one: Served, holds: Built): Promise<boolean> {
    try {
      await one.client.renew(holds.contents);
      return true;
    } catch {
      await finish(one);
      return false;
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
      const renewal = this.#renew(one, holds).then((done) => {
        this.#renewals.delete(renewal);
        if (done) this.#kept.push({ ...one, holds });
      });
      this.#renewals.add(renewal);
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

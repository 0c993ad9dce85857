import type { ActiveFault } from "@db-katas/engines";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { ownPids, privileged, type Role } from "./connections.ts";
import type { AdvisorContext } from "./kit.ts";

const roles: readonly Role[] = ["target", "scratch"];
/** How long a session that is told to end may take for it, in milliseconds. */
const ENDING_MS = 10_000;

/**
 * Nodes reach the databases as long as one of them is asked something, and at no other time. A node lives on
 * while the grader builds and measures: whatever it did then in the target would be measured, too.
 * Connections stay open meanwhile, and whoever doesn't use them notices nothing.
 */
class Seclusion {
  readonly #t: AdvisorContext;
  readonly #nodes = new Set<string>();
  #asked = 0;
  #holes: ActiveFault[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(t: AdvisorContext) {
    this.#t = t;
  }

  async during<T>(node: string, ask: () => Promise<T>): Promise<T> {
    this.#nodes.add(node);
    this.#asked += 1;
    try {
      await this.#settled();
      return await ask();
    } finally {
      this.#asked -= 1;
      await this.#settled();
    }
  }

  /** It has said goodbye: its connections may end when they like. */
  release(node: string): void {
    this.#nodes.delete(node);
  }

  get isClosed(): boolean {
    return this.#holes.length > 0;
  }

  /** One after the other, so that a door that is being shut isn't taken for an open one. */
  #settled(): Promise<void> {
    this.#turn = this.#turn.then(() => (this.#asked > 0 ? this.#open() : this.#shut()));
    return this.#turn;
  }

  async #open(): Promise<void> {
    for (const hole of this.#holes.splice(0)) await hole.heal();
  }

  async #shut(): Promise<void> {
    if (this.#holes.length > 0) return;
    const nodes = [...this.#nodes];
    for (const role of roles) {
      this.#holes.push(await this.#t.lease(role).inject(blackHole, { nodes }));
    }
  }
}

const seclusions = new WeakMap<AdvisorContext, Seclusion>();

function seclusionOf(t: AdvisorContext): Seclusion {
  const seclusion = seclusions.get(t) ?? new Seclusion(t);
  seclusions.set(t, seclusion);
  return seclusion;
}

/** Has a node started by `start`. @returns the same node; it reaches the databases while it is asked */
export async function secluded<T extends { close(): Promise<void> }>(
  t: AdvisorContext,
  name: string,
  start: () => Promise<T>,
): Promise<T> {
  const seclusion = seclusionOf(t);
  const node = await seclusion.during(name, start);
  // It answers to any name but `then`, as what it stands for does.
  return new Proxy(node, {
    get(_, method) {
      const call = Reflect.get(node, method) as
        | ((...args: unknown[]) => Promise<unknown>)
        | undefined;
      if (typeof call !== "function") return call;
      return (...args: unknown[]) => {
        const answer = asked(t, name, method, () => call(...args));
        // A check that fails leaves calls behind that nobody waits for.
        answer.catch(() => {});
        return answer;
      };
    },
  });
}

async function asked(
  t: AdvisorContext,
  name: string,
  method: string | symbol,
  call: () => Promise<unknown>,
): Promise<unknown> {
  const seclusion = seclusionOf(t);
  const value = await seclusion.during(name, async () => {
    const answer = await call();
    if (method === "close") seclusion.release(name);
    return answer;
  });
  if (method === "advise" && seclusion.isClosed) await endLeftOvers(t);
  return value;
}

/**
 * Ends what the nodes have left running in the target: a script that waits for its moment, a transaction
 * that holds a lock or a snapshot. As a `DO`, which is nothing that anybody would collect.
 */
async function endLeftOvers(t: AdvisorContext): Promise<void> {
  await using admin = await privileged(t, "target");
  await admin.query(
    `DO $$ BEGIN PERFORM pg_terminate_backend(a.pid, ${ENDING_MS}) FROM pg_stat_activity a JOIN pg_database d ON d.oid = a.datid
      WHERE d.datname = current_database() AND a.usesysid = d.datdba AND a.state <> 'idle'
        AND a.pid <> ALL ('{${ownPids(t).join()}}'); END $$`,
  );
}

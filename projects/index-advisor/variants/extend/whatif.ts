/**
 * What the planner would say of a set of indexes, asked jointly. A btree is hypothetical (HypoPG); what HypoPG
 * can't imagine is built once on the copy, and dropped in a savepoint wherever it is not part of the question.
 */
import type { Candidate } from "./candidates.ts";
import { definition } from "./candidates.ts";
import { AdvisorError } from "./errors.ts";
import type { Lab } from "./lab.ts";
import type { Query } from "./queries.ts";
import { quoted } from "./sql.ts";

export class WhatIf {
  readonly #lab: Lab;
  readonly #hypothetical: string | undefined;
  readonly #imagined = new Map<string, { oid: string; bytes: number } | string>();
  readonly #built = new Map<string, { index: Candidate; bytes: number } | string>();
  readonly #now = new Set<string>();
  readonly #costs = new Map<string, number>();

  private constructor(lab: Lab, hypothetical: string | undefined) {
    this.#lab = lab;
    this.#hypothetical = hypothetical;
  }

  static async in(lab: Lab): Promise<WhatIf> {
    const [extension] = await lab.scratch.rows<{ schema: string }>(
      `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'hypopg'`,
    );
    return new WhatIf(lab, extension && quoted(extension.schema));
  }

  /** The planner's cost of one call, on average over a statement's texts. */
  async cost(query: Query, set: readonly Candidate[]): Promise<number> {
    const relevant = set.filter((index) => couldServe(query, index));
    const key = `${query.statement} ${relevant
      .map(({ id }) => id)
      .toSorted()
      .join(" + ")}`;
    const known = this.#costs.get(key);
    if (known !== undefined) return known;
    const cost = await this.#asked(query, relevant);
    this.#costs.set(key, cost);
    return cost;
  }

  /** An estimate, where nothing was built. Why there can't be such an index, where there can't. */
  async bytes(index: Candidate): Promise<number | string> {
    const found = await this.#prepared(index);
    return typeof found === "string" ? found : found.bytes;
  }

  /** Takes what was imagined or built for questions out of the way; what was built until the savepoint's end. */
  async hidden(): Promise<void> {
    // A plain EXPLAIN would show an imagined index in place of the one that is there.
    await this.#imagine([]);
    for (const found of this.#built.values()) {
      if (typeof found !== "string") await this.#lab.drop(found.index);
    }
  }

  async #asked(query: Query, set: readonly Candidate[]): Promise<number> {
    for (const index of set) await this.#prepared(index);
    await this.#imagine(set.filter((index) => this.#imaginable(index)));
    const hidden = [...this.#built.values()].flatMap((found) =>
      typeof found !== "string" &&
      query.tables.has(found.index.table) &&
      !set.some(({ id }) => id === found.index.id)
        ? [found.index]
        : [],
    );
    const ask = async (): Promise<number> => {
      let sum = 0;
      for (const text of query.texts) sum += await this.#lab.cost(text);
      return sum / query.texts.length;
    };
    if (hidden.length === 0) return await ask();
    return await this.#lab.tried(async () => {
      for (const index of hidden) await this.#lab.drop(index);
      return await ask();
    });
  }

  #imaginable({ method }: Candidate): boolean {
    return this.#hypothetical !== undefined && method === "btree";
  }

  async #prepared(index: Candidate): Promise<{ bytes: number } | string> {
    const known = this.#imaginable(index) ? this.#imagined : this.#built;
    const found = known.get(index.id);
    if (found !== undefined) return found;
    if (this.#imaginable(index)) {
      const imagined = await this.#create(index);
      this.#imagined.set(index.id, imagined);
      return imagined;
    }
    const bytes = await this.#lab.build(index);
    const built = typeof bytes === "string" ? bytes : { index, bytes };
    this.#built.set(index.id, built);
    return built;
  }

  async #create(index: Candidate): Promise<{ oid: string; bytes: number } | string> {
    await this.#lab.scratch.run("SAVEPOINT imagine");
    try {
      const [row] = await this.#lab.scratch.rows<{ oid: string; bytes: string }>(
        `SELECT h.indexrelid::text AS oid,
                ${this.#hypothetical}.hypopg_relation_size(h.indexrelid)::text AS bytes
           FROM ${this.#hypothetical}.hypopg_create_index($1) h`,
        [definition(index)],
      );
      await this.#lab.scratch.run("RELEASE imagine");
      this.#now.add(index.id);
      return { oid: row?.oid ?? "0", bytes: Number(row?.bytes ?? 0) };
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      await this.#lab.scratch.run("ROLLBACK TO imagine; RELEASE imagine");
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** HypoPG has no way to hide one, so those that are not asked about go, and are made anew later. */
  async #imagine(set: readonly Candidate[]): Promise<void> {
    const wanted = new Set(set.map(({ id }) => id));
    for (const id of this.#now) {
      if (wanted.has(id)) continue;
      const found = this.#imagined.get(id);
      if (found && typeof found !== "string") {
        await this.#lab.scratch.rows(`SELECT ${this.#hypothetical}.hypopg_drop_index($1)`, [
          found.oid,
        ]);
      }
      this.#now.delete(id);
    }
    for (const index of set) {
      if (this.#now.has(index.id)) continue;
      if (typeof this.#imagined.get(index.id) === "string") continue;
      this.#imagined.set(index.id, await this.#create(index));
    }
  }
}

/** Only an index whose first column a statement asks for can make it cheaper. */
export function couldServe({ shape }: Query, { table, parts: [first] }: Candidate): boolean {
  const asked = (of: { readonly key: { readonly sql: string } }) => of.key.sql === first?.key.sql;
  return shape.uses.some(
    (use) =>
      use.table === table &&
      (use.conditions.some(asked) ||
        use.orders.flat().some(asked) ||
        use.alternatives.flat().some(asked)),
  );
}

/** What the planner makes of statements, with this or that of what was built. */
import type { Session } from "../database.ts";
import type { Candidate, Query } from "../model.ts";
import { type Explained, explainedOf, indexesOf, relationsOf } from "../plan.ts";
import { holds } from "../whatif/answers.ts";
import { type Builds, hasExpression, keyOf } from "../whatif/builds.ts";

interface Known {
  /** Keys of those that could be seen, and of those among them that the plan has. */
  readonly seen: ReadonlySet<string>;
  readonly used: ReadonlySet<string>;
  /** Keys of those whose statistics tell the planner something, even where the plan hasn't got them. */
  readonly telling: ReadonlySet<string>;
  readonly plan: Explained;
}

export class Plans {
  readonly #session: Session;
  readonly #builds: Builds;
  readonly #known = new Map<string, Known[]>();

  constructor(session: Session, builds: Builds) {
    this.#session = session;
    this.#builds = builds;
  }

  /** @param set all of it built @returns by query, by instance */
  async of(
    queries: readonly Query[],
    set: readonly Candidate[],
  ): Promise<readonly (readonly Explained[])[]> {
    const unknown: { readonly sql: string; readonly there: readonly Candidate[] }[] = [];
    for (const query of queries) {
      for (const { sql } of query.instances) {
        const there = this.#onTablesOf(query, sql, set);
        if (this.#find(sql, there) === undefined) unknown.push({ sql, there });
      }
    }
    if (unknown.length > 0) await this.#builds.among(set, () => this.#ask(unknown));
    return queries.map((query) =>
      query.instances.flatMap(
        ({ sql }) => this.#find(sql, this.#onTablesOf(query, sql, set)) ?? [],
      ),
    );
  }

  /**
   * A plan may have any index of its tables, whatever it begins with: to read less, or in an order. Which tables
   * are behind a view, and which partitions are left of a table, only plans tell.
   */
  #onTablesOf({ accesses }: Query, sql: string, set: readonly Candidate[]): readonly Candidate[] {
    const known = this.#known.get(sql);
    if (known === undefined) return set;
    const tables = new Set(known.flatMap(({ plan }) => [...relationsOf(plan)]));
    return set.filter(
      ({ index }) =>
        tables.has(index.table) ||
        accesses.some(({ schema, table }) => schema === index.schema && table === index.table),
    );
  }

  /** A plan that was the best with more to choose from is the best with less, as long as it lacks nothing. */
  #find(sql: string, there: readonly Candidate[]): Explained | undefined {
    const keys = new Set(there.map(keyOf));
    return this.#known
      .get(sql)
      ?.find(
        ({ seen, used, telling }) => holds(seen, keys) && holds(keys, used) && holds(keys, telling),
      )?.plan;
  }

  async #ask(
    unknown: readonly { readonly sql: string; readonly there: readonly Candidate[] }[],
  ): Promise<void> {
    const { client } = this.#session;
    // Plain EXPLAIN would plan with what the same session has pretended, too.
    await client.query("SET LOCAL hypopg.enabled = off");
    for (const { sql, there } of unknown) {
      const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
      const plan = explainedOf(rows);
      const names = indexesOf(plan);
      const used = there.filter((one) => names.has(this.#builds.find(one)?.name ?? ""));
      const known = {
        seen: new Set(there.map(keyOf)),
        used: new Set(used.map(keyOf)),
        telling: new Set(there.filter(hasExpression).map(keyOf)),
        plan,
      };
      this.#known.set(sql, [known, ...(this.#known.get(sql) ?? [])]);
    }
  }
}

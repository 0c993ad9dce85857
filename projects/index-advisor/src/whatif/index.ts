/**
 * What the planner would do. HypoPG (https://hypopg.readthedocs.io) adds indexes that are not there to what the
 * planner sees, for one session; it knows btree, hash and brin, and no statistics of expressions. All others are really built, on the
 * copy.
 */
import type { Session } from "../database.ts";
import { createIndexSql } from "../ddl.ts";
import type { Candidate, Query, WhatIf } from "../model.ts";
import { explainedOf, indexesOf } from "../plan.ts";
import { type Builds, hasExpression, keyOf } from "./builds.ts";
import { relevantTo } from "./relevance.ts";

interface Answer {
  readonly cost: number;
  /** Keys of the candidates that could be seen, and of those among them that the plan has. */
  readonly seen: ReadonlySet<string>;
  readonly used: ReadonlySet<string>;
}

interface Hypothetical {
  readonly oid: number;
  readonly name: string;
}

/**
 * @param session the one whose hypothetical indexes these are; nobody else may make any in it. It stays open.
 * @param kind default: HypoPG where the copy has it
 */
export async function openWhatIf(
  session: Session,
  builds: Builds,
  kind?: WhatIf["kind"],
): Promise<WhatIf> {
  const { rowCount } = await session.client.query(
    "SELECT FROM pg_extension WHERE extname = 'hypopg'",
  );
  const chosen = kind ?? (rowCount === 1 ? "hypopg" : "real builds");
  if (chosen === "hypopg") await session.client.query("SELECT hypopg_reset()");
  return new Planner(session, builds, chosen);
}

class Planner implements WhatIf {
  readonly kind: WhatIf["kind"];
  calls = 0;
  readonly #session: Session;
  readonly #builds: Builds;
  readonly #answers = new Map<string, Answer[]>();
  readonly #pretended = new Map<string, Hypothetical>();
  readonly #sizes = new Map<string, number>();
  /** Keys of those that HypoPG refused, whatever the candidate says. */
  readonly #refused = new Set<string>();

  constructor(session: Session, builds: Builds, kind: WhatIf["kind"]) {
    this.#session = session;
    this.#builds = builds;
    this.kind = kind;
  }

  async costs(queries: readonly Query[], set: readonly Candidate[]): Promise<readonly number[]> {
    const costs: number[] = [];
    for (const query of queries) costs.push(await this.#cost(query, relevantTo(query, set)));
    return costs;
  }

  async size(candidate: Candidate): Promise<number> {
    const build = this.#builds.find(candidate);
    if (build) return build.sizeBytes;
    const key = keyOf(candidate);
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const hypothetical = await this.#pretend(candidate);
    if (hypothetical === undefined) return (await this.#builds.build(candidate)).sizeBytes;
    const { rows } = await this.#session.client.query<{ size: string }>(
      "SELECT hypopg_relation_size($1::oid) AS size",
      [hypothetical.oid],
    );
    const size = Number(rows[0]?.size ?? 0);
    this.#sizes.set(key, size);
    return size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.kind === "hypopg") {
      // The session may be broken, and its hypothetical indexes with it.
      await this.#session.client.query("SELECT hypopg_reset()").catch(() => {});
    }
    this.#pretended.clear();
  }

  async #cost(query: Query, set: readonly Candidate[]): Promise<number> {
    let cost = 0;
    for (const { sql, share } of query.instances)
      cost += share * (await this.#ask(query, sql, set));
    return cost;
  }

  async #ask(query: Query, sql: string, set: readonly Candidate[]): Promise<number> {
    const wanted = new Set(set.map(keyOf));
    const earlier = this.#answers.get(sql) ?? [];
    // A plan that was the best of more is the best of fewer, as long as it needs nothing that is missing.
    const known = earlier.find((a) => holds(a.seen, wanted) && holds(wanted, a.used));
    if (known) return known.cost;
    const { cost, names } = await this.#explain(query, sql, set);
    const answer = {
      cost,
      seen: wanted,
      used: new Set(set.map(keyOf).filter((k) => names.has(k))),
    };
    this.#answers.set(sql, [...earlier, answer]);
    return cost;
  }

  async #explain(query: Query, sql: string, set: readonly Candidate[]) {
    const byName = new Map<string, string>();
    const wanted = new Set(set.map(keyOf));
    const really: Candidate[] = [];
    const pretended = new Set<string>();
    for (const candidate of set) {
      const key = keyOf(candidate);
      const hypothetical = this.#builds.find(candidate)
        ? undefined
        : await this.#pretend(candidate);
      if (hypothetical) {
        byName.set(hypothetical.name, key);
        pretended.add(key);
      } else {
        const { name } = await this.#builds.build(candidate);
        byName.set(name, key);
        really.push(candidate);
      }
    }
    for (const [key, { oid }] of this.#pretended) {
      if (pretended.has(key)) continue;
      await this.#session.client.query("SELECT hypopg_drop_index($1)", [oid]);
      this.#pretended.delete(key);
    }
    this.calls++;
    const explain = async () => {
      const { rows } = await this.#session.client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
      return explainedOf(rows);
    };
    const inTheWay = this.#builds.all.some(
      ({ candidate: { index }, candidate }) =>
        !wanted.has(keyOf(candidate)) &&
        query.accesses.some((a) => a.schema === index.schema && a.table === index.table),
    );
    const explained = await (inTheWay ? this.#builds.among(really, explain) : explain());
    const names = new Set([...indexesOf(explained)].map((name) => byName.get(name) ?? name));
    return { cost: explained.Plan["Total Cost"], names };
  }

  /** @returns `undefined` where it must be built */
  async #pretend(candidate: Candidate): Promise<Hypothetical | undefined> {
    const key = keyOf(candidate);
    const there = this.#pretended.get(key);
    if (there) return there;
    const pretendable =
      this.kind === "hypopg" && candidate.hypothetical && !hasExpression(candidate);
    if (!pretendable || this.#refused.has(key)) return undefined;
    try {
      const { rows } = await this.#session.client.query<Hypothetical>(
        "SELECT indexrelid AS oid, indexname AS name FROM hypopg_create_index($1)",
        [createIndexSql(candidate.index, "it")],
      );
      const [hypothetical] = rows;
      if (hypothetical) this.#pretended.set(key, hypothetical);
      return hypothetical;
    } catch (error) {
      // A connection that broke can't build it either, and says so then.
      this.#refused.add(key);
      void error;
      return undefined;
    }
  }
}

function holds(all: ReadonlySet<string>, some: ReadonlySet<string>): boolean {
  for (const one of some) if (!all.has(one)) return false;
  return true;
}

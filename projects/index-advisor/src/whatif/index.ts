/**
 * What the planner would do. HypoPG (https://hypopg.readthedocs.io) adds indexes that are not there to what the
 * planner sees, for one session; it knows btree, hash and brin, and no statistics of expressions. All others
 * are really built, on the copy.
 */
import pg, { type QueryResult, type QueryResultRow } from "pg";
import type { Session } from "../database.ts";
import { isConnectionLoss } from "../errors.ts";
import type { Candidate, Query, WhatIf } from "../model.ts";
import { explainedOf, indexesOf } from "../plan.ts";
import { type Answer, Answers } from "./answers.ts";
import { type Builds, hasExpression, keyOf } from "./builds.ts";
import { isRelevant, relevantTo } from "./relevance.ts";

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
  readonly #answers = new Map<string, Answers>();
  readonly #pretended = new Map<string, Hypothetical & { readonly candidate: Candidate }>();
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
    for (const query of queries) costs.push((await this.plan(query, set)).cost);
    return costs;
  }

  async plan(query: Query, set: readonly Candidate[]) {
    const relevant = relevantTo(query, set);
    const used = new Set<string>();
    let cost = 0;
    for (const { sql, share } of query.instances) {
      const answer = await this.#ask(query, sql, relevant);
      cost += share * answer.cost;
      for (const key of answer.used) used.add(key);
    }
    return { cost, used: relevant.filter((candidate) => used.has(keyOf(candidate))) };
  }

  async size(candidate: Candidate): Promise<number> {
    const real = this.#builds.sizeOf(candidate);
    if (real !== undefined) return real;
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

  async #ask(query: Query, sql: string, set: readonly Candidate[]): Promise<Answer> {
    const wanted = new Set(set.map(keyOf));
    const answers = this.#answers.get(sql) ?? new Answers();
    this.#answers.set(sql, answers);
    const known = answers.about(wanted);
    if (known) return known;
    const { cost, names } = await this.#explain(query, sql, set);
    const used = new Set(set.map(keyOf).filter((key) => names.has(key)));
    const answer = { cost, seen: wanted, used };
    answers.add(answer);
    return answer;
  }

  /** One round trip: what differs from what is pretended already, and the question. */
  async #explain(query: Query, sql: string, set: readonly Candidate[]) {
    const wanted = new Map(set.map((candidate) => [keyOf(candidate), candidate]));
    const really: Candidate[] = [];
    const missing: string[] = [];
    for (const [key, candidate] of wanted) {
      if (this.#canPretend(candidate) && !this.#builds.find(candidate)) {
        if (!this.#pretended.has(key)) missing.push(key);
      } else {
        await this.#builds.build(candidate);
        really.push(candidate);
      }
    }
    const touches = ({ index }: Candidate) =>
      query.accesses.some((a) => a.schema === index.schema && a.table === index.table);
    // What is pretended on other tables makes no difference, and may be wanted again.
    const superfluous = [...this.#pretended].filter(
      ([key, { candidate }]) =>
        touches(candidate) && (!wanted.has(key) || this.#builds.find(candidate)),
    );
    const steps = [
      ...superfluous.map(([, { oid }]) => `SELECT hypopg_drop_index(${oid})`),
      ...missing.map((key) => `${PRETEND} hypopg_create_index(${pg.escapeLiteral(key)})`),
      `EXPLAIN (FORMAT JSON) ${sql}`,
    ];
    const ask = () => this.#session.client.query<QueryResultRow>(steps.join(";\n"));
    const inTheWay = this.#builds.all.some(
      ({ candidate }) => isRelevant(query, candidate) && !wanted.has(keyOf(candidate)),
    );
    this.calls++;
    let results: QueryResult[];
    try {
      // Of several statements `pg` returns several results.
      results = [await (inTheWay ? this.#builds.among(really, ask) : ask())].flat();
    } catch (error) {
      // How far it has come, nobody knows.
      this.#pretended.clear();
      if (this.kind === "hypopg") await this.#session.client.query("SELECT hypopg_reset()");
      throw error;
    }
    for (const [key] of superfluous) this.#pretended.delete(key);
    missing.forEach((key, i) => {
      const [row] = results[superfluous.length + i]?.rows ?? [];
      const candidate = wanted.get(key);
      if (row && candidate) this.#pretended.set(key, { ...(row as Hypothetical), candidate });
    });
    const byName = new Map(really.map((one) => [this.#builds.find(one)?.name, keyOf(one)]));
    for (const [key, { name }] of this.#pretended) byName.set(name, key);
    const explained = explainedOf(results.at(-1)?.rows);
    const names = new Set([...indexesOf(explained)].map((name) => byName.get(name) ?? name));
    return { cost: explained.Plan["Total Cost"], names };
  }

  #canPretend(candidate: Candidate): boolean {
    const can = this.kind === "hypopg" && candidate.hypothetical && !hasExpression(candidate);
    return can && !this.#refused.has(keyOf(candidate));
  }

  /** @returns `undefined` where it must be built */
  async #pretend(candidate: Candidate): Promise<Hypothetical | undefined> {
    if (!this.#canPretend(candidate)) return undefined;
    const key = keyOf(candidate);
    const there = this.#pretended.get(key);
    if (there) return there;
    try {
      const { rows } = await this.#session.client.query<Hypothetical>(
        `${PRETEND} hypopg_create_index($1)`,
        [key],
      );
      const [hypothetical] = rows;
      if (hypothetical) this.#pretended.set(key, { ...hypothetical, candidate });
      return hypothetical;
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      this.#refused.add(key);
      return undefined;
    }
  }
}

const PRETEND = "SELECT indexrelid AS oid, indexname AS name FROM";

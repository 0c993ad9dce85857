/**
 * What the indexes are chosen for: the statements, each with values, and the look-ups that PostgreSQL does by
 * itself when a row goes that others may refer to. No plan shows those.
 */
import { Binder, SAMPLES } from "./bindings.ts";
import { candidatesFor } from "./candidates.ts";
import type { Catalogue } from "./catalogue.ts";
import { askedOf, tablesOf } from "./conditions.ts";
import type { Binding, Copy } from "./copy.ts";
import { ident, isRefusal, literal } from "./databases.ts";
import { bodyOf, type Definition, plain } from "./definitions.ts";
import { messageOf } from "./errors.ts";
import { NOTHING, nodesOf, type PlanNode, type Run } from "./plans.ts";
import type { Understood, Verb } from "./understand.ts";

export interface Writes {
  readonly table: string;
  readonly verb: Verb;
  readonly sets: readonly string[];
}

export interface Query {
  /** As it was PREPAREd. */
  readonly name: string;
  /** Position in the request. */
  readonly statement: number;
  readonly calls: number;
  /** Not the statement itself, but what its foreign keys make it do. */
  readonly hidden: boolean;
  readonly bindings: readonly Binding[];
  /** What it took without any candidate, for each binding. */
  readonly baseline: readonly Run[];
  /** False where the copy's rows refuse what it writes: then only what it has to keep up is counted. */
  readonly runs: boolean;
  readonly limitMs: number;
  readonly tables: ReadonlySet<string>;
  readonly writes: Writes | undefined;
  readonly candidates: readonly Definition[];
}

/** How far a chain of ON DELETE CASCADE is followed. */
const DEPTH = 3;
/** With what takes longer, in milliseconds, no more values are tried. */
const SLOW_MS = 1_000;
/** The longest one run may take, as a share of what is left of the call. */
const SHARE = 0.15;

/** The class of what unique keys, foreign keys and checks refuse. */
const INTEGRITY = "23";

const NO_INDEXES = ["indexscan", "indexonlyscan", "bitmapscan"].map(
  (way) => `SET LOCAL enable_${way} = off`,
);

export class Preparer {
  readonly #copy: Copy;
  readonly #catalogue: Catalogue;
  readonly #binder: Binder;
  #analysed = new Set<string>();
  #count = 0;

  constructor(copy: Copy, catalogue: Catalogue) {
    this.#copy = copy;
    this.#catalogue = catalogue;
    this.#binder = new Binder(copy, catalogue);
  }

  /** The statement, and what it makes PostgreSQL do. @throws Error, for people, when it can't be tried */
  async prepared(understood: Understood): Promise<Query[]> {
    const analysed = new Set(this.#analysed);
    try {
      return await this.#copy.attempt(() => this.#understood(understood));
    } catch (error) {
      this.#analysed = analysed;
      throw error;
    }
  }

  /** Whether it could be: the server reads it, and finds what it names. @throws pg.DatabaseError */
  async checked({ sql }: Understood): Promise<void> {
    await this.#prepare(sql);
  }

  async #understood(understood: Understood): Promise<Query[]> {
    const { name, types } = await this.#prepare(understood.sql);
    const nulls = types.map(() => "NULL");
    const plan = await this.#withoutIndexes(name, nulls);
    const tables = new Set(tablesOf(plan).values());
    for (const table of tables) await this.#analyse(table);
    const writes = writesOf(plan, understood);
    const table = writes?.table;
    const isText = (of: string, column: string) => this.#catalogue.isText(of, column);
    const asked = await askedOf(plan, isText);
    const bindings = await this.#binder.bindings(understood, types, asked, table);
    const { statement, calls } = understood;
    const query = await this.#tried({
      name,
      statement,
      calls,
      hidden: false,
      bindings,
      tables,
      writes,
      candidates: await candidatesFor(asked, this.#catalogue),
    });
    if (writes === undefined || writes.verb === "insert") return [query];
    const sets = writes.verb === "update" ? writes.sets : undefined;
    return [query, ...(await this.#hidden(query, writes.table, sets, DEPTH))];
  }

  async #prepare(sql: string): Promise<{ name: string; types: readonly string[] }> {
    const name = `q${this.#count++}`;
    await this.#copy.attempt(() => this.#copy.ask(`PREPARE ${name} AS ${sql}`));
    const [row] = await this.#copy.ask(
      `SELECT ARRAY(SELECT format_type(t, NULL) FROM unnest(parameter_types) WITH ORDINALITY u(t, o) ORDER BY o) AS types
         FROM pg_prepared_statements WHERE name = ${literal(name)}`,
    );
    return { name, types: row?.types as string[] };
  }

  /** With `$1` where parameters are, and nothing hidden in the order of an index. */
  async #withoutIndexes(name: string, binding: Binding): Promise<PlanNode> {
    const settings = [...NO_INDEXES, "SET LOCAL plan_cache_mode = force_generic_plan"];
    const [plan] = await this.#copy.plans({ name }, [binding], { settings }, "VERBOSE, COSTS OFF");
    if (plan === undefined) throw new Error("the copy made no plan");
    // A statement without parameters would keep this plan, which nobody else should have.
    await this.#copy.ask("DISCARD PLANS");
    return plan;
  }

  /** The copy's statistics may be older than its rows. */
  async #analyse(table: string): Promise<void> {
    await this.#catalogue.columns(table);
    if (this.#analysed.has(table)) return;
    this.#analysed.add(table);
    await this.#copy.attempt(() => this.#copy.ask(`ANALYZE ${table}`, this.#copy.leftMs()));
  }

  /** Once without any index: what no values make it do is no use to anybody. */
  async #tried(query: Omit<Query, "baseline" | "limitMs" | "runs">): Promise<Query> {
    const limitMs = Math.ceil(this.#copy.leftMs() * SHARE);
    const bindings: Binding[] = [];
    const baseline: Run[] = [];
    let spent = 0;
    let refused = "";
    let integrity = false;
    for (const binding of query.bindings) {
      try {
        const run = await this.#copy.run(query, binding, limitMs);
        bindings.push(binding);
        baseline.push(run);
        spent += run.ms;
        if (spent > SLOW_MS) break;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused = messageOf(error);
        integrity = error.code.startsWith(INTEGRITY);
      }
    }
    if (bindings.length > 0) return { ...query, bindings, baseline, runs: true, limitMs };
    if (!integrity) throw new Error(refused);
    return {
      ...query,
      bindings: query.bindings.slice(0, 1),
      baseline: [NOTHING],
      runs: false,
      limitMs,
    };
  }

  async #hidden(
    cause: Query,
    table: string,
    sets: readonly string[] | undefined,
    depth: number,
  ): Promise<Query[]> {
    if (depth === 0) return [];
    const queries: Query[] = [];
    for (const key of await this.#catalogue.referringTo(table)) {
      if (sets !== undefined && !key.parentColumns.some((column) => sets.includes(column)))
        continue;
      await this.#analyse(key.child);
      const { child, childColumns } = key;
      const where = childColumns
        .map((column, at) => `x.${ident(column)} = $${at + 1}`)
        .join(" AND ");
      const { name } = await this.#prepare(
        `SELECT 1 FROM ONLY ${child} x WHERE ${where} FOR KEY SHARE OF x`,
      );
      const rows = await this.#copy.ask(
        `SELECT ${key.parentColumns.map((column, at) => `${ident(column)}::text AS v${at}`).join(", ")}
           FROM ${await this.#catalogue.sampled(table)} ORDER BY md5(ctid::text) LIMIT ${SAMPLES}`,
        this.#copy.leftMs(),
      );
      if (rows.length === 0) continue;
      const query = await this.#tried({
        name,
        statement: cause.statement,
        calls: cause.calls,
        hidden: true,
        bindings: rows.map((row) => childColumns.map((_, at) => literal(String(row[`v${at}`])))),
        tables: new Set([child]),
        writes: undefined,
        candidates: [
          {
            table: child,
            method: "btree",
            parts: childColumns.map((column) => plain({ text: ident(column), columns: [column] })),
          },
        ],
      });
      queries.push(query);
      if (key.cascades) queries.push(...(await this.#hidden(query, child, undefined, depth - 1)));
    }
    return queries;
  }
}

/** What a plan writes, be it in a WITH of a SELECT: of that, the first. */
function writesOf(plan: PlanNode, { sets }: Understood): Writes | undefined {
  const node = nodesOf(plan).find((one) => one["Node Type"] === "ModifyTable");
  if (node === undefined) return undefined;
  const [table] = tablesOf({ ...node, Plans: [] }).values();
  const verb = String(node.Operation).toLowerCase();
  const known = verb === "insert" || verb === "update" || verb === "delete";
  return table !== undefined && known ? { table, verb, sets } : undefined;
}

/** Each once. */
export function definitionsOf(queries: readonly Query[]): Definition[] {
  const all = new Map(
    queries.flatMap(({ candidates }) => candidates).map((one) => [bodyOf(one), one]),
  );
  return [...all.values()];
}

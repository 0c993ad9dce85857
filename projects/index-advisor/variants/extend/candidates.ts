/** Indexes that could be made, of every kind that can answer a condition. */
import { createHash } from "node:crypto";
import type { Catalogue, SearchClass, Table, TypeFacts } from "./catalogue.ts";
import type { Condition, Key, Use } from "./shape.ts";
import { qualified, quoted } from "./sql.ts";

/** One column of an index. */
export interface Part {
  readonly key: Key;
  /** With the operator class and the direction, as `CREATE INDEX` wants them. */
  readonly sql: string;
}

export interface Candidate {
  /** The same for the same index, whoever asks for it. */
  readonly id: string;
  readonly table: Table;
  readonly method: string;
  readonly parts: readonly Part[];
  readonly name: string;
}

/** Names of indexes may be as long as PostgreSQL's, in bytes. */
const NAME_BYTES = 63;

function candidate(
  table: Table,
  method: string,
  parts: readonly Part[],
  taken: ReadonlySet<string>,
): Candidate {
  const id = `${qualified(table.schema, table.name)} USING ${method} (${parts.map(({ sql }) => sql).join(", ")})`;
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 8);
  const about = [table.name, ...parts.flatMap(({ key }) => key.columns)].join("_");
  const room = Buffer.from(about)
    .subarray(0, NAME_BYTES - hash.length - 8)
    .toString();
  const first = `${room.replace(/\uFFFD+$/, "")}_${hash}_idx`;
  let name = first;
  for (let n = 2; taken.has(`${table.schema}.${name}`); n++) name = `${first}_${n}`;
  return { id, table, method, parts, name };
}

export const definition = ({ id, name }: Candidate): string =>
  `CREATE INDEX ${quoted(name)} ON ${id}`;

export const recommended = ({ id, name }: Candidate): string =>
  `CREATE INDEX CONCURRENTLY ${quoted(name)} ON ${id}`;

const plain = (key: Key): Part => ({ key, sql: key.sql });

const PATTERN_CLASS: Readonly<Record<string, string>> = {
  text: "text_pattern_ops",
  varchar: "text_pattern_ops",
  bpchar: "bpchar_pattern_ops",
};

/** Steps that a selection may take from nothing: most are one index, of an OR it takes one for each arm. */
export class Candidates {
  readonly steps: Candidate[][] = [];
  /** Indexes of several kinds for one condition. */
  readonly rivals: Candidate[][] = [];
  readonly #catalogue: Catalogue;
  readonly #typeOf: (use: Use, key: Key) => TypeFacts | undefined;
  readonly #seen = new Set<string>();
  readonly #known = new Map<string, Candidate>();
  /** Parts that belong together, because one use of a table asks for them. */
  readonly #families: { readonly table: Table; readonly parts: readonly Part[] }[] = [];

  constructor(catalogue: Catalogue, typeOf: (use: Use, key: Key) => TypeFacts | undefined) {
    this.#catalogue = catalogue;
    this.#typeOf = typeOf;
  }

  addUse(use: Use): void {
    const { table } = use;
    const trees = use.conditions.flatMap((condition) => this.#treePart(condition) ?? []);
    const equals = unique(
      use.conditions.filter(({ kind }) => kind === "equal").flatMap((c) => this.#treePart(c) ?? []),
    );
    for (const condition of use.conditions) {
      const all = this.#single(condition);
      for (const found of all) this.#step([found]);
      this.rivals.push(all.filter(({ method }) => method !== "btree"));
    }
    for (const arms of use.alternatives) {
      const choices = arms.map((arm) => this.#single(arm)[0]);
      const all = choices.filter((choice) => choice !== undefined);
      if (all.length === arms.length) this.#step(all);
    }
    for (const order of use.orders) {
      const parts = order.map(({ key, descending, nullsFirst }) => ({
        key,
        sql: `${key.sql}${directed(descending, nullsFirst)}`,
      }));
      const open = equals.filter(({ key }) => !parts.some((part) => part.key.sql === key.sql));
      this.#step([this.#made(table, "btree", parts)]);
      if (open.length > 0) {
        this.#step([this.#made(table, "btree", [...open, ...parts])]);
        for (const one of open) this.#step([this.#made(table, "btree", [one, ...parts])]);
      }
      this.#families.push({ table, parts: [...trees, ...parts] });
    }
    if (use.orders.length === 0) this.#families.push({ table, parts: trees });
  }

  addForeignKey(table: Table, columns: readonly string[]): void {
    const parts = columns.map((column) =>
      plain({ sql: quoted(column), columns: [column], column }),
    );
    this.#step([this.#made(table, "btree", parts)]);
  }

  /** Each way to append one column that a statement asks for beside those that are there. */
  extensions(chosen: Candidate): Candidate[] {
    if (chosen.method !== "btree") return [];
    const has = new Set(chosen.parts.map(({ key }) => key.sql));
    const longer = this.#families
      .filter(({ table }) => table === chosen.table)
      .filter(({ parts }) => [...has].every((sql) => parts.some(({ key }) => key.sql === sql)))
      .flatMap(({ parts }) => parts.filter(({ key }) => !has.has(key.sql)))
      .map((part) => this.#made(chosen.table, "btree", [...chosen.parts, part]));
    return [...new Map(longer.map((each) => [each.id, each])).values()];
  }

  /** One object for each index, so that sets of them can be compared. */
  #made(table: Table, method: string, parts: readonly Part[]): Candidate {
    const made = candidate(table, method, parts, this.#catalogue.names);
    const known = this.#known.get(made.id);
    if (!known) this.#known.set(made.id, made);
    return known ?? made;
  }

  #step(indexes: Candidate[]): void {
    const id = indexes.map((index) => index.id).join(" + ");
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.steps.push(indexes);
  }

  #treePart(condition: Condition): Part | undefined {
    const { key, kind, operator, anchored, use } = condition;
    if (kind === "equal" || kind === "range") return plain(key);
    if (operator !== "~~" || !anchored) return undefined;
    const type = this.#typeOf(use, key);
    const patterns = type && PATTERN_CLASS[type.name];
    return patterns ? { key, sql: `${key.sql} ${patterns}` } : undefined;
  }

  #single(condition: Condition): Candidate[] {
    const tree = this.#treePart(condition);
    const trees = tree ? [this.#made(condition.use.table, "btree", [tree])] : [];
    if (condition.kind !== "search" && condition.kind !== "nearest") return trees;
    const type = this.#typeOf(condition.use, condition.key);
    const classes = this.#catalogue.searchClasses.filter(
      (each) =>
        each.operator === condition.operator &&
        each.ordering === (condition.kind === "nearest") &&
        type !== undefined &&
        accepts(each, type, this.#catalogue.types),
    );
    const others = classes.map(({ method, name, isDefault }) =>
      this.#made(condition.use.table, method, [
        { key: condition.key, sql: isDefault ? condition.key.sql : `${condition.key.sql} ${name}` },
      ]),
    );
    return [...trees, ...others];
  }
}

function accepts(
  { inputType }: SearchClass,
  type: TypeFacts,
  types: ReadonlyMap<string, TypeFacts>,
): boolean {
  if (inputType === type.oid) return true;
  const input = types.get(inputType)?.name;
  if (input === "anyarray") return type.category === "A";
  if (input === "anyrange") return type.kind === "r";
  if (input === "anymultirange") return type.kind === "m";
  return input === "text" && type.name === "varchar";
}

const unique = (parts: readonly Part[]): Part[] => [
  ...new Map(parts.map((part) => [part.sql, part])).values(),
];

function directed(descending: boolean, nullsFirst: boolean): string {
  const nulls = descending === nullsFirst ? "" : nullsFirst ? " NULLS FIRST" : " NULLS LAST";
  return `${descending ? " DESC" : ""}${nulls}`;
}

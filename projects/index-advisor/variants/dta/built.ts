/** Candidates that were really built on the copy: with their real size, of whatever method. */
import type { Rejected } from "../../contract.ts";
import type { Copy } from "./copy.ts";
import { isRefusal, literal } from "./databases.ts";
import { createSql, type Definition, nameOf } from "./definitions.ts";
import { messageOf } from "./errors.ts";
import { type ExistingIndex, existingIndexes, isPrefix, same } from "./indexes.ts";

export interface Candidate {
  readonly name: string;
  /** With its schema, quoted. */
  readonly qualified: string;
  readonly definition: Definition;
  readonly sizeBytes: number;
}

/** The longest that one build may take, as a share of what is left of the call. */
const SHARE = 0.3;

export class Builder {
  readonly built: Candidate[] = [];
  readonly rejected: Rejected[] = [];
  readonly #copy: Copy;
  readonly #existing: readonly ExistingIndex[];
  /** By `Date.now()`. */
  readonly #until: number;
  readonly #known = new Set<string>();
  readonly #taken: ReadonlySet<string>;

  /** `existing` are those of the target: what it has, it needn't be advised to have. */
  constructor(copy: Copy, existing: readonly ExistingIndex[], until: number) {
    this.#copy = copy;
    this.#until = until;
    this.#taken = new Set(existing.map(({ name }) => name));
    this.#existing = existing.filter(({ valid }) => valid);
  }

  /** Builds what isn't built yet, and drops again what exists already. */
  async build(definitions: readonly Definition[], budgetBytes: number): Promise<void> {
    const fresh: { definition: Definition; name: string }[] = [];
    for (const definition of definitions) {
      const name = nameOf(definition, this.#taken);
      if (this.#known.has(name)) continue;
      this.#known.add(name);
      if (Date.now() > this.#until) {
        this.reject(definition, "there was no time left to try it");
        continue;
      }
      try {
        const limit = Math.ceil(this.#copy.leftMs() * SHARE);
        await this.#copy.attempt(async () => {
          await this.#copy.ask(`SET LOCAL statement_timeout = ${limit}`);
          await this.#copy.ask(createSql(definition, "", name), limit);
          await this.#copy.ask("SET LOCAL statement_timeout = 0");
        });
        fresh.push({ definition, name });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.reject(definition, `it can't be built: ${messageOf(error)}`);
      }
    }
    // Only of an index on an expression does ANALYZE know how the expression's values are spread.
    const derived = fresh.filter(({ definition }) =>
      definition.parts.some(({ text }) => text.startsWith("(")),
    );
    for (const table of new Set(derived.map(({ definition }) => definition.table))) {
      await this.#copy.ask(`ANALYZE ${table}`, this.#copy.leftMs());
    }
    const present = fresh.length > 0 ? await existingIndexes(this.#copy) : [];
    for (const { definition, name } of fresh) {
      const schema = definition.table.slice(0, definition.table.indexOf('"."') + 1);
      const qualified = `${schema}."${name}"`;
      const [size] = await this.#copy.ask(
        `SELECT pg_relation_size(${literal(qualified)})::float8 AS bytes`,
      );
      const candidate = { name, qualified, definition, sizeBytes: Number(size?.bytes) };
      const own = present.find((index) => index.name.endsWith(`.${name}`));
      const other = this.#existing.find(
        (index) => own && (same(own, index) || isPrefix(own, index)),
      );
      const why =
        own === undefined
          ? "it is not there after it was built"
          : other !== undefined
            ? `${other.name} does the same`
            : candidate.sizeBytes > budgetBytes
              ? `over budget: it takes ${candidate.sizeBytes} bytes by itself`
              : undefined;
      if (why === undefined) {
        this.built.push(candidate);
        continue;
      }
      this.reject(definition, why);
      await this.#copy.ask(`DROP INDEX ${qualified}`, this.#copy.leftMs());
    }
  }

  /** Takes away what the search has no more use for. */
  async discard(candidates: readonly Candidate[], why: string): Promise<void> {
    if (candidates.length === 0) return;
    const names = candidates.map(({ qualified }) => qualified).join(", ");
    await this.#copy.ask(`DROP INDEX ${names}`, this.#copy.leftMs());
    for (const candidate of candidates) {
      this.built.splice(this.built.indexOf(candidate), 1);
      this.reject(candidate.definition, why);
    }
  }

  reject(definition: Definition, why: string): void {
    this.rejected.push({ sql: createSql(definition, "CONCURRENTLY "), why });
  }
}

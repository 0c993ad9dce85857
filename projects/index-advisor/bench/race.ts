/** Sets of indexes against each other: each on a copy of its own, in turns. */
import type { Statement } from "../contract.ts";
import { type Connected, connected, type Stage } from "./stage.ts";

/** The longest that one statement may take, in milliseconds; what is stopped counts as if it took that. */
const MOST_MS = 60_000;

export interface Racer {
  readonly key: string;
  /** `CREATE INDEX …` */
  readonly indexes: readonly string[];
}

export interface Raced {
  /** Of all its indexes, as they are built. */
  readonly sizeBytes: number;
  /** By turn: Σ calls × milliseconds. */
  readonly turns: readonly number[];
  /** By turn, by statement: milliseconds per call. */
  readonly statementMs: readonly (readonly number[])[];
}

export async function race(
  stage: Stage,
  racers: readonly Racer[],
  turns: number,
): Promise<ReadonlyMap<string, Raced>> {
  await using sessions = new AsyncDisposableStack();
  const lanes: { racer: Racer; session: Connected; sizeBytes: number; ms: number[][] }[] = [];
  for (const [i, racer] of racers.entries()) {
    const url = await stage.copy(`race${i}`);
    sessions.defer(() => stage.drop(`race${i}`));
    const session = sessions.use(await connected(url));
    lanes.push({ racer, session, sizeBytes: await built(session, racer.indexes), ms: [] });
  }
  for (let turn = -1; turn < turns; turn++) {
    // Whoever follows whom changes, and what the machine does meanwhile hits all alike.
    for (let i = 0; i < lanes.length; i++) {
      const lane = lanes[(i + Math.max(turn, 0)) % lanes.length];
      if (!lane) continue;
      const ms = await pass(lane.session, stage.statements);
      if (turn >= 0) lane.ms.push(ms);
    }
    console.error(turn < 0 ? "warm" : `turn ${turn + 1} of ${turns}`);
  }
  return new Map(
    lanes.map(({ racer, sizeBytes, ms }) => {
      const sums = ms.map((pass) =>
        pass.reduce((sum, each, i) => sum + each * (stage.statements[i]?.calls ?? 0), 0),
      );
      return [racer.key, { sizeBytes, turns: sums, statementMs: ms }];
    }),
  );
}

async function built({ pg }: Connected, indexes: readonly string[]): Promise<number> {
  const size = async () => {
    const { rows } = await pg.query<{ bytes: string }>(
      "SELECT coalesce(sum(pg_relation_size(indexrelid)), 0) AS bytes FROM pg_stat_user_indexes",
    );
    return Number(rows[0]?.bytes ?? 0);
  };
  const before = await size();
  for (const index of indexes) await pg.query(index);
  const bytes = (await size()) - before;
  await pg.query("VACUUM (ANALYZE)");
  await pg.query(`SET statement_timeout = ${MOST_MS}`);
  return bytes;
}

/** Writes are undone. */
async function pass({ pg }: Connected, statements: readonly Statement[]): Promise<number[]> {
  const times: number[] = [];
  for (const { sql } of statements) {
    await pg.query("BEGIN");
    const begin = performance.now();
    try {
      await pg.query(sql);
      times.push(performance.now() - begin);
    } catch (error) {
      if ((error as { code?: string }).code !== "57014") throw error;
      times.push(MOST_MS);
    }
    await pg.query("ROLLBACK");
  }
  return times;
}

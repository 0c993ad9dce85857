/**
 * `pnpm --filter @db-katas/zero-downtime-migration demo [seed]`: two PostgreSQL servers, two nodes with
 * clients at work, and an operator who goes the whole way, with a crash of the new server in the middle of
 * it and a rollback at the end.
 */
import { setTimeout as wait } from "node:timers/promises";
import { openEngines } from "@db-katas/engines";
import { kill } from "@db-katas/engines/faults/kill";
import { freshSeed, randomFrom } from "@db-katas/grading";
import type { MigrationNode, Phase, StoreName } from "../contract.ts";
import { accountsIn, createTable, differences, seedLegacy, sql } from "../grading/rows.ts";
import reference from "../src/index.ts";
import { Clients } from "./clients.ts";

const ACCOUNTS = 3_000;
const CLIENTS_PER_NODE = 2;
/** Rows that one step of the copy takes. */
const STEP = 250;
/** How long each phase is looked at, in milliseconds: in a real migration these are days. */
const PHASE_MS = 1_500;
const OUTAGE_MS = 2_500;
/** How often a line is written, in milliseconds. */
const LINE_MS = 750;
/** What is on its way must have arrived after so long, in milliseconds. */
const ARRIVAL_MS = 8_000;

const seed = Number(process.argv[2] ?? freshSeed());
await using engines = await openEngines();
await using legacy = await engines.lease("postgres", { isolation: "instance" });
await using modern = await engines.lease("postgres", { isolation: "instance" });
const leases = { legacy, modern };
const t = { random: randomFrom(seed), lease: (store: StoreName) => leases[store] };
for (const name of ["legacy", "modern"] as const) {
  const url = await leases[name].urlFor("migrate");
  await createTable(name, url);
  await reference.migrate({ name, url });
}
const seeded = await seedLegacy(t, ACCOUNTS);

await using closing = new AsyncDisposableStack();
const open = async (name: string) => {
  const node: MigrationNode = await reference.createNode({
    name,
    legacy: await legacy.urlFor(name),
    modern: await modern.urlFor(name),
    requestBudgetMs: 4_000,
  });
  closing.defer(() => node.close());
  return node;
};
const [a, b] = [await open("a"), await open("b")];
const busy = Array.from({ length: CLIENTS_PER_NODE }, () => [a, b]).flat();
const clients = new Clients(t.random, busy, seeded.values());
const begin = performance.now();
console.log(`seed ${seed}; ${ACCOUNTS} accounts in legacy, ${busy.length} clients on two nodes`);
console.log(`
   time  phase         legacy  modern  pending   calls  by modern  refused  wrong  slowest`);

let isModernUp = true;
async function line(): Promise<void> {
  const rows = async (store: StoreName) =>
    (await sql(t, store, "SELECT count(*)::int AS n FROM accounts")).rows[0]?.n;
  const [{ phase, pending }, before, after] = await Promise.all([
    a.status(),
    rows("legacy"),
    isModernUp ? rows("modern") : "down",
  ]);
  const { calls, reads, fromModern, refused, wrong, slowestMs } = clients.take();
  const share = `${Math.round((100 * fromModern) / Math.max(reads, 1))} %`;
  const seconds = `${((performance.now() - begin) / 1_000).toFixed(1)} s`;
  const columns: [text: unknown, width: number][] = [
    [seconds, 7],
    [`  ${phase.padEnd(12)}`, 14],
    [before, 6],
    [after, 8],
    [pending, 9],
    [calls, 8],
    [share, 11],
    [refused, 9],
    [wrong, 7],
    [`${slowestMs.toFixed(0)} ms`, 9],
  ];
  console.log(columns.map(([text, width]) => String(text).padStart(width)).join(""));
}

const over = new AbortController();
async function watch(): Promise<void> {
  const { signal } = over;
  for (; !signal.aborted; await line()) await wait(LINE_MS, undefined, { signal }).catch(() => {});
}

async function goOn(operator: MigrationNode, phase: Phase): Promise<void> {
  await operator.setPhase(phase);
  if (phase === "copying") while (!(await operator.backfill(STEP)).done);
  await wait(PHASE_MS);
}

const watching = watch();
await wait(PHASE_MS);
for (const phase of ["copying", "shadow", "canary-5", "canary-50"] as const) await goOn(a, phase);
console.log("modern is killed");
const outage = await modern.inject(kill);
isModernUp = false;
await wait(OUTAGE_MS);
await outage.heal();
isModernUp = true;
console.log("modern is back");
await wait(PHASE_MS);
await goOn(b, "canary-100");
const { missing, surplus, differing } = await a.verify({ repair: false });
const found = missing.length + surplus.length + differing.length;
console.log(`compared row by row: ${found} differences; cut over`);
await goOn(b, "modern");
console.log("Friday evening: back to legacy, with all that was written to modern");
await goOn(a, "canary-100");

over.abort();
await watching;
const expected = await clients.stop();
for (const end = performance.now() + ARRIVAL_MS; (await a.status()).pending > 0; await wait(20)) {
  if (performance.now() > end) break;
}
const { calls, refused, wrong, slowestMs } = clients.total;
console.log(`
${calls} calls: ${refused} refused, ${wrong} wrong answers; the slowest took ${slowestMs.toFixed(0)} ms`);
let bad = refused + wrong + found;
for (const store of ["legacy", "modern"] as const) {
  const wrongRows = differences(await accountsIn(t, store), expected).length;
  bad += wrongRows;
  console.log(`${store}: ${expected.size} accounts expected, ${wrongRows} differences`);
}
process.exitCode = bad === 0 ? 0 : 1;

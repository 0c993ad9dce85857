import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type EngineRun, openEngines } from "../src/index.ts";
import { isAlive } from "../src/watcher/processes.ts";
import { type RunRecord, recordFile } from "../src/watcher/record.ts";
import { eventually } from "./helpers.ts";

const serversOf = (run: EngineRun) =>
  (JSON.parse(readFileSync(join(run.folder, recordFile), "utf8")) as RunRecord).processes;

test("the second lease in a row that is alike has a server started for the third, who takes it", async () => {
  const run = await openEngines({ env: { ...process.env, KATA_ENGINES: "process" } });
  const request = { isolation: "instance" } as const;
  await using _first = await run.lease("redis", request);
  expect(serversOf(run)).toHaveLength(1);
  await using _second = await run.lease("redis", request);
  const ahead = await eventually(
    () => serversOf(run),
    (servers) => servers.length === 3,
  );
  await using _third = await run.lease("redis", request);
  // Three for the leases, and one more ahead.
  const after = await eventually(
    () => serversOf(run),
    (servers) => servers.length === 4,
  );
  expect(after).toEqual(expect.arrayContaining([...ahead]));
  await run[Symbol.asyncDispose]();
  expect(after.filter(isAlive)).toEqual([]);
});

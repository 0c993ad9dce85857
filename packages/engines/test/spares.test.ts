import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "../src/engine.ts";
import { type EngineRun, openEngines } from "../src/index.ts";
import { Spares } from "../src/spares.ts";
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

/** Servers that are there when they are told to be. */
class Works {
  readonly started: { readonly key: string; ready(): Promise<void>; ended: boolean }[] = [];

  /** @param key of what is in it */
  starting(key: string): () => Promise<Engine> {
    return () => {
      const { promise, resolve } = Promise.withResolvers<Engine>();
      const one = { key, ended: false, ready: () => settled(resolve(engine)) };
      const end = async () => {
        one.ended = true;
      };
      const engine = { name: String(this.started.push(one)), [Symbol.asyncDispose]: end } as Engine;
      return promise;
    };
  }
}

/** Everybody who waited has gone on. */
const settled = (_: unknown) => new Promise<void>((resolve) => setImmediate(resolve));

test("who has to wait for the server that was started ahead has one more started, up to a limit", async () => {
  const works = new Works();
  const spares = new Spares(3);
  for (let count = 0; count < 6; count += 1) {
    const taken = spares.take("t", works.starting("t"));
    // The first two wait for their own, the others for one that is not there yet.
    await works.started[count]?.ready();
    expect((await taken).name).toBe(String(count + 1));
  }
  expect(works.started).toHaveLength(6 + 3);
  for (const each of works.started) await each.ready();
  await spares.take("t", works.starting("t"));
  expect(works.started).toHaveLength(7 + 3);
  const ending = spares.end();
  await works.started.at(-1)?.ready();
  await ending;
  expect(works.started.filter(({ ended }) => ended)).toHaveLength(3);
});

test("those that nobody wants any more end when others are asked for twice", async () => {
  const works = new Works();
  const spares = new Spares(3);
  const taken: Promise<Engine>[] = [];
  for (const key of ["t", "t", "u", "u"]) {
    taken.push(spares.take(key, works.starting(key)));
    for (const each of works.started) await each.ready();
  }
  await Promise.all(taken);
  await settled(undefined);
  const ended = works.started.filter((each) => each.ended);
  expect(ended.map(({ key }) => key)).toEqual(["t"]);
  expect(works.started.map(({ key }) => key)).toEqual(["t", "t", "t", "u", "u", "u"]);
});

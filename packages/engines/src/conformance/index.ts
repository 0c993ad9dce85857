/**
 * The suite that proves an engine × provider: `await describeEngine("redis")` in a test file.
 * Capabilities select its tests; where one is absent, the inverse is tested: a clear refusal.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchableUnasked } from "../fetch/unasked.ts";
import { collectOffers, fitting, providers } from "../providers/index.ts";
import { type AnyFault, loadDefinitions, loadFaults, loadKit } from "../registry.ts";
import { openEngines } from "../run.ts";
import type { Capability, EngineRun, Fault } from "../types.ts";
import { isAlive } from "../watcher/processes.ts";
import { type RunRecord, recordFile } from "../watcher/record.ts";
import { scenarios } from "./faults.ts";
import { gateTests } from "./gates.ts";
import type { Kit } from "./kit.ts";
import { namespaceTests } from "./namespaces.ts";

export type { Kit, Session } from "./kit.ts";

/** Milliseconds for what must be fetched or built first. */
const fetchTimeout = 900_000;

export interface ConformanceOptions {
  /** Settings for the run; `KATA_ENGINES` chooses the provider to prove. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Milliseconds that one test may take. Default 90 s, for busy machines; 180 s where each lease takes
   * a server, some take two, or a server is a group.
   */
  readonly timeout?: number;
  /** A folder of further definitions, in which the engine's may be. */
  readonly definitions?: string;
  /** Leaves out faults, gates and kills. */
  readonly only?: "namespaces";
}

/** Declares the suite for one engine, as this machine provides it; skipped, saying why, where it doesn't. */
export async function describeEngine(
  name: string,
  options: ConformanceOptions = {},
): Promise<void> {
  const { definitions } = options;
  const definition = (await loadDefinitions(definitions)).get(name);
  if (!definition) throw new Error(`there is no engine called ${name}`);
  const slow = definition.alone || definition.runsOn || definition.container?.companions;
  const { env = process.env, timeout = slow ? 180_000 : 90_000 } = options;
  const kit = await loadKit(name, definitions);
  const offers = await collectOffers(definition, env, true);
  const chosen = fitting(offers, [])[0];
  if (!chosen) {
    const reasons = offers
      .map((offer) => (offer.offered ? "" : `${offer.provider}: ${offer.reason}`))
      .join("; ");
    describe.skip(`${name} (not offered here: ${reasons})`, () => test("conforms", () => {}));
    return;
  }
  const { fetch } = chosen;
  if (!fetchableUnasked(chosen, env)) {
    const reason = "what it takes is more than a gate fetches by itself: KATA_CONFORMANCE=all";
    describe.skip(`${name} (${reason})`, () => test("conforms", () => {}));
    return;
  }
  const instances = providers.some(
    ({ name: provider, instances: can }) => provider === chosen.provider && can,
  );
  if (definition.alone && instances && env.KATA_CONFORMANCE !== "all") {
    const reason = "each lease starts a server, which takes minutes: KATA_CONFORMANCE=all";
    describe.skip(`${name} (${reason})`, () => test("conforms", () => {}));
    return;
  }
  const faults = options.only === "namespaces" ? [] : [...(await loadFaults()).values()];
  const has = (fault: AnyFault) => chosen.capabilities.includes(fault.capability);

  describe(`${name} from ${chosen.provider}: ${chosen.source}`, { timeout }, () => {
    const opened = () =>
      openEngines({ env, ...(definitions === undefined ? {} : { definitions }) });
    let run: EngineRun;
    beforeAll(
      async () => {
        run = await opened();
        if (fetch) await (await run.lease(name))[Symbol.asyncDispose]();
      },
      fetch ? fetchTimeout : timeout,
    );
    afterAll(() => run[Symbol.asyncDispose](), timeout);

    namespaceTests({
      kit,
      run: () => run,
      anotherRun: opened,
      definition,
      provider: chosen.provider,
      instances,
    });
    const all = options.only === undefined;
    if (all) gateTests(kit, () => run, name, chosen.capabilities.includes("gate"));
    for (const [promise, extra] of Object.entries((all && kit.extras) || {})) {
      test(promise, async () => {
        await using lease = await run.lease(name);
        await extra(await lease.urlFor("a"));
      });
    }

    for (const fault of faults.filter((each) => !has(each))) {
      test(`${fault.name} is refused: it can't be done here`, async () => {
        await using lease = await run.lease(name);
        // Options don't matter for what is refused.
        await expect(lease.inject(fault as unknown as Fault)).rejects.toMatchObject({
          code: "CAPABILITY_MISSING",
        });
      });
    }
    for (const fault of faults.filter(has)) {
      if (fault.scope === "server" && !definition.alone) {
        test(`${fault.name} is refused on a shared server`, async () => {
          await using lease = await run.lease(name);
          await expect(lease.inject(fault as unknown as Fault)).rejects.toMatchObject({
            code: "FAULT_NEEDS_INSTANCE",
          });
        });
      }
      const scenario = scenarios[fault.name];
      test.runIf(scenario)(`${fault.name}: ${fault.summary}; and healed`, async () => {
        await using lease = await run.lease(
          name,
          fault.scope === "server"
            ? { isolation: "instance", needs: [fault.capability] }
            : { needs: [fault.capability] },
        );
        await scenario?.(lease, kit);
      });
    }

    const needed: readonly Capability[] = ["durable", "kill"];
    test.runIf(all && needed.every((each) => chosen.capabilities.includes(each)))(
      "what was acknowledged before a kill is there after it",
      () => durability(kit, run, name),
    );

    test("nothing is left behind", async () => {
      const other = await opened();
      const lease = await other.lease(name, { isolation: instances ? "instance" : "namespace" });
      await lease.urlFor("a");
      const record = JSON.parse(readFileSync(join(other.folder, recordFile), "utf8")) as RunRecord;
      await other[Symbol.asyncDispose]();
      expect(existsSync(other.folder)).toBe(false);
      expect([record.watcher, ...record.processes].filter(isAlive)).toEqual([]);
      await expect(other.lease(name)).rejects.toMatchObject({ code: "RUN_ENDED" });
    });
  });
}

async function durability(kit: Kit, run: EngineRun, name: string): Promise<void> {
  await using lease = await run.lease(name, { isolation: "instance" });
  const { kill } = await import("../faults/kill.ts");
  const writer = await kit.connect(await lease.urlFor("a"));
  const acknowledged: string[] = [];
  const enough = Promise.withResolvers<void>();
  const writing = (async () => {
    for (let count = 0; ; count += 1) {
      await writer.set(`key ${count}`, "written");
      acknowledged.push(`key ${count}`);
      if (count === 50) enough.resolve();
    }
  })();
  await Promise.race([enough.promise, writing]);
  const fault = await lease.inject(kill);
  await expect(writing).rejects.toThrow();
  await fault.heal();
  const reader = await kit.connect(await lease.urlFor("a"));
  const lost: string[] = [];
  for (const key of acknowledged) if ((await reader.get(key)) !== "written") lost.push(key);
  expect(lost).toEqual([]);
  await reader.close();
}

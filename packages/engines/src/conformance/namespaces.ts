import { expect, test } from "vitest";
import type { EngineDefinition } from "../definition.ts";
import type { EngineRun, Lease, ProviderName } from "../types.ts";
import type { Kit, Session } from "./kit.ts";

/** Who deals out an engine's namespaces. */
interface Dealer {
  readonly kit: Kit;
  readonly run: () => EngineRun;
  /** At the same time, with the same settings. */
  readonly anotherRun: () => Promise<EngineRun>;
  readonly definition: EngineDefinition;
  readonly provider: ProviderName;
  /** Whether that provider can start a server for one lease alone. */
  readonly instances: boolean;
}

/** That leases don't see each other, whatever happens to the server that they may share. */
export function namespaceTests(dealer: Dealer): void {
  const { kit, run, definition, instances } = dealer;
  const { name, alone } = definition;
  if (alone && !instances) oneAtATime(dealer);
  else severalAtOnce(dealer);

  test("a template that can't be built fails as it is, and is tried again", async () => {
    let attempts = 0;
    const template = {
      key: "conformance failing",
      build: async (url: string) => {
        attempts += 1;
        if (attempts === 1) throw new RangeError("migration 7 is wrong");
        await kit.prepare(url);
      },
    };
    await expect(run().lease(name, { template })).rejects.toThrow(RangeError);
    await using lease = await run().lease(name, { template });
    const each = await sessionOf(kit, lease);
    expect(await each.get("prepared")).toBe("yes");
    await each.close();
  });

  test("a submission's credentials give no power over the server", async ({ skip }) => {
    await using lease = await run().lease(name);
    const each = await sessionOf(kit, lease);
    skip(!each.administer, "this engine knows no rights");
    await expect(each.administer?.()).rejects.toThrow(
      /permission|privilege|access denied|must be superuser/i,
    );
    await each.close();
  });

  test("traffic is counted per node", async ({ skip }) => {
    await using lease = await run().lease(name);
    skip(!lease.engine.capabilities.includes("network"), "no network");
    const each = await sessionOf(kit, lease);
    await each.set("key", "value");
    await each.close();
    if (kit.reconnects) expect(lease.traffic("a").connections).toBeGreaterThan(0);
    else expect(lease.traffic("a").connections).toBe(1);
    expect(lease.traffic("a").bytesUp).toBeGreaterThan(0);
    expect(lease.traffic("a").bytesDown).toBeGreaterThan(0);
    expect(lease.traffic("b").connections).toBe(0);
  });
}

function severalAtOnce({ kit, run, definition, provider, instances }: Dealer): void {
  const { name, alone } = definition;
  const atOnce = alone ? 3 : 20;

  test(`${atOnce} leases at once don't see each other`, async () => {
    const leases = await Promise.all(Array.from({ length: atOnce }, () => run().lease(name)));
    const sessions = await Promise.all(leases.map((lease) => sessionOf(kit, lease)));
    await Promise.all(sessions.map((each, index) => each.set("mine", String(index))));
    const read = await Promise.all(sessions.map((each) => each.get("mine")));
    expect(read).toEqual(leases.map((_, index) => String(index)));
    expect(new Set(leases.map((lease) => lease.adminUrl)).size).toBe(leases.length);
    await Promise.all(sessions.map((each) => each.close()));
    await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
    await using fresh = await run().lease(name);
    const after = await sessionOf(kit, fresh);
    expect(await after.get("mine")).toBeUndefined();
    await after.close();
  });

  for (const isolation of ["namespace", "instance"] as const) {
    test.runIf(instances || isolation === "namespace")(
      `a template is built once and cloned for each lease (${isolation})`,
      async () => {
        let built = 0;
        const template = {
          key: `conformance ${isolation}`,
          build: async (url: string) => {
            built += 1;
            await kit.prepare(url);
          },
        };
        const request = { isolation, template };
        const leases = await Promise.all([run().lease(name, request), run().lease(name, request)]);
        for (const lease of leases) {
          const each = await sessionOf(kit, lease);
          expect(await each.get("prepared")).toBe("yes");
          await each.set("prepared", "changed");
          await each.close();
        }
        await using later = await run().lease(name, request);
        const each = await sessionOf(kit, later);
        expect(await each.get("prepared")).toBe("yes");
        await each.close();
        await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
        // A library has no server to copy: each lease builds its own.
        if (isolation === "namespace" || provider !== "library") expect(built).toBe(1);
      },
    );
  }
}

/** A server of the user's own that can't be divided. */
function oneAtATime({ kit, run, anotherRun, definition: { name } }: Dealer): void {
  test("a second lease waits until the first one has ended, and finds nothing of it", async () => {
    const first = await run().lease(name);
    const waiting = run().lease(name);
    const each = await sessionOf(kit, first);
    await each.set("mine", "still");
    expect(await each.get("mine")).toBe("still");
    await each.close();
    await first[Symbol.asyncDispose]();
    await using second = await waiting;
    const other = await sessionOf(kit, second);
    expect(await other.get("mine")).toBeUndefined();
    await other.close();
  });

  test("another run is refused while a lease of this one has the server", async () => {
    await using _held = await run().lease(name);
    await using other = await anotherRun();
    await expect(other.lease(name)).rejects.toMatchObject({ code: "SERVER_TAKEN" });
  });

  test("what a lease leaves is gone for the next, and a template is built for each", async () => {
    const template = { key: "conformance", build: (url: string) => kit.prepare(url) };
    for (const request of [{}, { template }, { template }]) {
      await using lease = await run().lease(name, request);
      const each = await sessionOf(kit, lease);
      expect(await each.get("prepared")).toBe("template" in request ? "yes" : undefined);
      await each.set("prepared", "changed");
      await each.close();
    }
  });
}

async function sessionOf(kit: Kit, lease: Lease): Promise<Session> {
  return kit.connect(await lease.urlFor("a"));
}

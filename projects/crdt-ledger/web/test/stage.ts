/** For all tests of a file: one stage and one browser; for each: fresh contexts, and a cable to cut. */
import { TcpProxy } from "@db-katas/engines";
import type { BrowserContext, BrowserContextOptions } from "playwright-core";
import { test as base } from "vitest";
import { Stage } from "../dev/stage.ts";
import { findChromium, launch } from "./browser.ts";

export const CHROMIUM = findChromium();
/** Says in a suite's name why it was skipped. */
export const IN_CHROMIUM = CHROMIUM
  ? "in Chromium"
  : "skipped: no Chromium on PATH (apt-get install chromium, or set KATA_CHROMIUM)";

const VIEWPORT = { width: 1_100, height: 720 };

interface Cable {
  /** Names this way to server b, for the page. */
  readonly name: string;
  /** What is under way is lost, and nothing comes through until it is mended. */
  cut(): void;
  mend(): void;
}

// biome-ignore-start lint/correctness/noEmptyPattern: vitest reads from it which fixtures one builds on.
export const test = base
  .extend("stage", { scope: "file" }, async ({}, { onCleanup }) => {
    const stage = await Stage.open({ port: 0, watch: false });
    onCleanup(() => stage[Symbol.asyncDispose]());
    return stage;
  })
  .extend("browser", { scope: "file" }, async ({}, { onCleanup }) => {
    if (!CHROMIUM) throw new Error("There is no Chromium; these tests should have been skipped.");
    const browser = await launch(CHROMIUM);
    onCleanup(() => browser.close());
    return browser;
  })
  /** Another person's browser each time. */
  .extend("context", async ({ browser }, { onCleanup }) => {
    const opened: BrowserContext[] = [];
    onCleanup(async () => {
      for (const context of opened) await context.close();
    });
    return async (options: BrowserContextOptions = {}) => {
      const context = await browser.newContext({ viewport: VIEWPORT, ...options });
      opened.push(context);
      return context;
    };
  })
  .extend("cable", async ({ stage }, { onCleanup }): Promise<Cable> => {
    const { hostname: host, port } = new URL(stage.servers.get("b") ?? "");
    const proxy = await TcpProxy.listen("cable", () => ({ host, port: Number(port) }));
    const name = `cable-${proxy.port}`;
    stage.servers.set(name, `ws://127.0.0.1:${proxy.port}`);
    onCleanup(async () => {
      stage.servers.delete(name);
      await proxy.close();
    });
    let mend = () => {};
    return {
      name,
      cut() {
        mend = proxy.blackHole();
        proxy.resetConnections();
      },
      mend: () => mend(),
    };
  });
// biome-ignore-end lint/correctness/noEmptyPattern: as above

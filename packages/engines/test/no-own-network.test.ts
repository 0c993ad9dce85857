/** Where a server can't have a network of its own. */
import { expect, test, vi } from "vitest";
import { loadDefinitions } from "../src/index.ts";

vi.mock(import("../src/providers/own-network.ts"), async (original) => ({
  ...(await original()),
  ownNetworks: async () => false,
}));

test("who would listen on every interface isn't offered, and why is said", async () => {
  const { process: recipe } = (await loadDefinitions()).get("weaviate") ?? {};
  expect(await recipe?.offer(process.env)).toMatchInlineSnapshot(`
    {
      "offered": false,
      "reason": "it listens on every interface, and this machine gives it no network of its own: that takes Linux with util-linux and iproute2, and root or user namespaces",
      "remedy": "unshare --user --map-root-user --net ip link set lo up   # says what is in the way",
    }
  `);
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { findSubmission } from "../src/index.ts";
import { Isolation } from "../src/submission/isolation/isolation.ts";

const FOLDER = join(import.meta.dirname, "cheats");

afterEach(() => vi.unstubAllEnvs());

it.runIf(process.platform === "linux")("what can't be isolated is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kata-isolation-"));
  const submission = await findSubmission(join(FOLDER, "src"), "src");
  // A machine without the programs that it takes.
  vi.stubEnv("PATH", folder);
  try {
    const refusal = await Isolation.open(folder, { submission, exercise: FOLDER }).catch(
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code: "ISOLATION_UNAVAILABLE" });
    expect((refusal as Error).message).toMatchInlineSnapshot(`
      "Submissions can't be isolated on this machine: spawn unshare ENOENT.
      Likely cause: it takes Linux, the programs unshare, mount, setpriv, prlimit (util-linux) and ip (iproute2), and root or user namespaces
      What to do: apt-get install util-linux iproute2, and run it as root; in a container, with --privileged. Nothing weaker is used in its place: leave --isolated away if you trust the submission"
    `);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

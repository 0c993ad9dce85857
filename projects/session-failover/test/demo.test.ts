/** The demo as one starts it: a process, its page, its levers, and Ctrl-C. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

test("the demo shows a session that survives Redis, obeys only its page, and ends at Ctrl-C", async () => {
  const demo = spawn(process.execPath, ["demo/main.ts"], {
    cwd: ROOT,
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void demo.kill("SIGKILL"));
  const complaints = text(demo.stderr);
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    demo.stdout.on("data", (chunk) => {
      said += chunk;
      const [, found] = /(http:\S+)\/ /.exec(said) ?? [];
      if (found) resolve(found);
    });
    demo.once("exit", async () => reject(new Error(`${said}${await complaints}`)));
  });
  const send = (path: string, body?: object, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      headers: { ...(body ? { "content-type": "application/json" } : {}), ...headers },
      ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    });

  const page = await send("/");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).not.toMatch(/(src|href)="(https?:|\/\/)/);
  for (const path of ["/page.js", "/page.css"]) expect((await send(path)).status).toBe(200);

  const login = await send("/node/a/login", { user: "ada" });
  const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  for (const fault of ["kill", "pause", "cut off a", "restart", "restart empty", null]) {
    expect((await send("/fault", { fault })).status).toBe(200);
    for (const node of ["a", "b"]) {
      const read = await send(`/node/${node}/profile`, undefined, { cookie });
      expect(await read.json()).toMatchObject({ user: "ada" });
    }
  }
  const elsewhere = await send("/fault", { fault: "kill" }, { origin: "http://elsewhere.example" });
  expect(elsewhere.status).toBe(403);
  expect((await send("/fault", { fault: "flood" })).status).toBe(400);
  expect(await (await send("/state")).json()).toMatchObject({ fault: null });

  // With a fault still on.
  await send("/fault", { fault: "pause" });
  demo.kill("SIGINT");
  const [code] = await once(demo, "exit");
  expect(await complaints).toBe("");
  expect(code).toBe(0);
  await expect(send("/")).rejects.toThrow();
}, 60_000);

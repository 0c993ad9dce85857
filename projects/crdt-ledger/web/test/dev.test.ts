import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "../dev/main.ts");
const TOKEN_PARTS = 3;

test("one command starts the page and its servers, and Ctrl-C ends them", async () => {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let url: string | undefined;
  for await (const line of createInterface(child.stdout)) {
    url ??= /^Open (http:\S+)/.exec(line)?.[1];
    if (url) break;
  }
  const ended = once(child, "exit");
  try {
    const page = await fetch(`${url}`);
    expect(await page.text()).toContain('<div id="app">');
    const { servers, treasurer } = (await (await fetch(`${url}doors`)).json()) as {
      servers: string[];
      treasurer: string;
    };
    expect(servers).toEqual(["a", "b"]);
    for (const server of servers) {
      const query = new URLSearchParams({ document: "first", actor: treasurer, server });
      const pass = (await (await fetch(`${url}pass?${query}`)).json()) as { address: string };
      expect(pass.address.split("token=")[1]?.split(".")).toHaveLength(TOKEN_PARTS);
      const socket = new WebSocket(pass.address);
      await once(socket, "open");
      socket.send(JSON.stringify({ type: "hello", version: {} }));
      const [{ data }] = (await once(socket, "message")) as [MessageEvent<string>];
      expect(JSON.parse(data)).toEqual({ type: "synced" });
      socket.close();
    }
    const stranger = await fetch(`${url}pass?document=first&actor=Nobody!&server=a`);
    expect(stranger.status).toBe(400);
  } finally {
    child.kill("SIGINT");
  }
  const [code] = await ended;
  expect(code).toBe(0);
  await expect(fetch(`${url}`)).rejects.toThrow("fetch failed");
});

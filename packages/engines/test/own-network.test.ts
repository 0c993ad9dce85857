/** A network of a server's own, with one that listens everywhere and needs no fetching. */
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blackHole } from "../src/faults/blackHole.ts";
import { kill } from "../src/faults/kill.ts";
import { type Lease, openEngines, portsOf } from "../src/index.ts";
import { ownNetworks, tryOne } from "../src/providers/own-network.ts";
import { serverUser, untraversable } from "../src/user.ts";
import { eventually, linux, ownFolder, processesIn } from "./helpers.ts";

/** Weaviate's ports, and its answers as far as its definition asks for any. */
const impostor = `#!${process.execPath}
const { createServer } = require("node:http");
const answers = { "/v1/meta": { version: "0.1" }, "/v1/schema": { classes: [] } };
const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
createServer(({ url }, response) => response.end(JSON.stringify(answers[url] ?? ""))).listen(port);
require("node:net").createServer((socket) => socket.pipe(socket)).listen(Number(process.env.GRPC_PORT));
// A port that nobody is told of.
createServer().listen(7947);
`;

/**
 * One whose requests outlive their connections by a moment, as connections do their clients, and which
 * writes down when they end, and when it is asked what is in it, each with its port.
 */
const lingering = `#!${process.execPath}
const { createServer } = require("node:http");
const port = process.argv[process.argv.indexOf("--port") + 1];
const note = (text) => require("node:fs").appendFileSync(process.env.NOTES, port + " " + text + "\\n");
const answers = { "/v1/meta": { version: "0.1" }, "/v1/schema": { classes: [] }, "/v1/aliases": { aliases: [] } };
let open = 0;
createServer(({ url }, response) => {
  if (url === "/v1/schema") note("asked");
  if (url !== "/v1/objects") return response.end(JSON.stringify(answers[url] ?? ""));
  open += 1;
  note("request");
  response.on("close", () => setTimeout(() => { open -= 1; note("request over"); }, 400));
}).listen(Number(port));
require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
  const over = () => { note("call over"); socket.destroy(); };
  socket.on("error", () => {}).on("end", () => socket.bytesRead ? setTimeout(over, 100) : socket.end());
  socket.on("data", () => note("call"));
}).listen(Number(process.env.GRPC_PORT));
createServer((_, response) =>
  response.end('weaviate_http_requests_inflight{method="POST"} ' + open + "\\n"),
).listen(Number(process.env.PROMETHEUS_MONITORING_PORT));
`;

/** Everybody who listens on this machine, as `ss` sees it: address and port. */
function listeners(): string[] {
  const lines = execFileSync("ss", ["-ltnH"], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => line.split(/\s+/)[3] ?? "");
}

async function echoed(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write("ping");
    for await (const bytes of socket) return String(bytes);
    return "ended";
  } catch {
    return "broken";
  } finally {
    socket.destroy();
  }
}

async function grpcOf(lease: Lease, node: string): Promise<number> {
  return portsOf(await lease.urlFor(node)).get("grpc") ?? 0;
}

test.runIf(linux)("a machine that lacks the programs has none to give", async () => {
  expect(await tryOne({ PATH: "/nowhere" })).toBe(false);
});

const can = (await ownNetworks(process.env)) && !untraversable(process.execPath, serverUser());

describe.runIf(can)("a server in a network of its own", () => {
  test("is reached by its doors only, which are on the loopback, and which stay where they are", async () => {
    await using folder = await ownFolder();
    const file = join(folder.path, "weaviate");
    writeFileSync(file, impostor);
    chmodSync(file, 0o755);
    const before = listeners();
    await using run = await openEngines({ env: { ...process.env, KATA_WEAVIATE: file } });
    const lease = await run.lease("weaviate");
    const { adminUrl } = lease;
    const doors = [...portsOf(adminUrl).values()];
    expect(doors).toHaveLength(2);
    expect(lease.engine.version).toBe("0.1");

    const added = listeners().filter((each) => !before.includes(each));
    for (const port of doors) expect(added).toContain(`127.0.0.1:${port}`);
    for (const port of [...doors, 7947]) expect(added).not.toContain(`*:${port}`);
    const status = execFileSync("ss", ["-ltnpH"], { encoding: "utf8" });
    for (const process of processesIn(file))
      expect(status).not.toContain(`pid=${process.split(" ")[0]},`);

    // Each node has a proxy for each port; what happens to its network happens to both.
    const url = await lease.urlFor("a");
    const [grpc, other] = [await grpcOf(lease, "a"), await grpcOf(lease, "b")];
    expect(await (await fetch(new URL("/v1/meta", url))).json()).toEqual({ version: "0.1" });
    expect(await echoed(grpc)).toBe("ping");
    expect(lease.traffic("a")).toMatchObject({ connections: 2 });
    const hole = await lease.inject(blackHole, { nodes: ["a"] });
    const lost = echoed(grpc);
    const unanswered = fetch(url);
    expect(await echoed(other)).toBe("ping");
    await hole.heal();
    expect(await lost).toBe("broken");
    await expect(unanswered).rejects.toThrow();

    const dead = await lease.inject(kill);
    expect(await echoed(grpc)).not.toBe("ping");
    await dead.heal();
    expect(lease.adminUrl).toBe(adminUrl);
    expect(await lease.urlFor("a")).toBe(url);
    expect(await echoed(grpc)).toBe("ping");

    await lease[Symbol.asyncDispose]();
    for (const port of doors) expect(listeners()).not.toContain(`127.0.0.1:${port}`);
    expect(processesIn(run.folder).filter((each) => each.includes("doorkeeper"))).toEqual([]);
  });

  test.each(["request", "call"])(
    "is handed on when the last %s of a lease is over",
    async (what) => {
      await using folder = await ownFolder();
      const [file, notes] = [join(folder.path, "weaviate"), join(folder.path, "notes")];
      writeFileSync(file, lingering.replace("process.env.NOTES", JSON.stringify(notes)));
      chmodSync(file, 0o755);
      writeFileSync(notes, "");
      chmodSync(notes, 0o666);
      const noted = () => {
        const lines = readFileSync(notes, "utf8").trim().split("\n");
        return lines.map((line) => line.split(/ (.*)/) as [port: string, text: string]);
      };
      await using run = await openEngines({ env: { ...process.env, KATA_WEAVIATE: file } });
      const first = await run.lease("weaviate");
      const url = await first.urlFor("a");
      if (what === "request") fetch(new URL("/v1/objects", url)).catch(() => {});
      else
        connect(await grpcOf(first, "a"), "127.0.0.1")
          .on("error", () => {})
          .write("call");
      const began = await eventually(noted, (lines) => lines.some(([, text]) => text === what));
      const port = began.find(([, text]) => text === what)?.[0];
      await first[Symbol.asyncDispose]();
      // Others are started meanwhile, and one of them may be ready before this one is.
      let next = await run.lease("weaviate");
      while (next.adminUrl !== first.adminUrl) next = await run.lease("weaviate");
      const texts = noted().flatMap(([of, text]) => (of === port ? [text] : []));
      expect(texts.slice(texts.indexOf(what))).toEqual([what, `${what} over`, "asked", "asked"]);
    },
  );
});

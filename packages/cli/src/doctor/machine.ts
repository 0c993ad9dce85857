import { constants } from "node:fs";
import { access, mkdir, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, freemem, platform, release, totalmem } from "node:os";
import { cacheFolder, runParents } from "@db-katas/engines";
import prettyBytes from "pretty-bytes";
import type { Finding } from "./findings.ts";

/** Room for a PostgreSQL, a Redis and a submission's nodes, twice over. */
const DISK_WANTED = 500 * 1024 ** 2;
const MEMORY_WANTED = 1024 ** 3;

/** What all exercises need, whatever their engines. */
export async function examineMachine(): Promise<Finding[]> {
  const memory = `${prettyBytes(freemem())} of ${prettyBytes(totalmem())} memory free`;
  const short = totalmem() < MEMORY_WANTED;
  return [
    {
      what: "node",
      state: "ok",
      detail: `${process.version} on ${platform()} ${release()}, ${process.arch}`,
    },
    {
      what: "machine",
      state: short ? "administrator" : "ok",
      detail: `${availableParallelism()} cores, ${memory}`,
      ...(short ? { remedy: `a machine with ${prettyBytes(MEMORY_WANTED)} or more` } : {}),
    },
    await examineFolder("cache", cacheFolder(), "set KATA_CACHE to a folder that you may write"),
    await examineFolder("runs", runParents()[0], "set KATA_RUNS to a folder that you may write"),
    await examineLoopback(),
  ];
}

async function examineFolder(what: string, folder: string, remedy: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const detail = `${folder}: ${error instanceof Error ? error.message : error}`;
    return { what, state: "fixable", detail, remedy };
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${folder}, ${prettyBytes(free)} free`;
  if (free >= DISK_WANTED) return { what, state: "ok", detail };
  const needed = `free some disk space: ${prettyBytes(DISK_WANTED)} are needed`;
  return { what, state: "fixable", detail, remedy: needed };
}

/** Engines and proxies listen on ports that the system chooses. */
async function examineLoopback(): Promise<Finding> {
  const server = createServer();
  const failure = await new Promise<Error | undefined>((resolve) => {
    server.once("error", resolve);
    server.listen(0, "127.0.0.1", () => resolve(undefined));
  });
  server.close();
  return failure
    ? {
        what: "loopback",
        state: "administrator",
        detail: `no port of 127.0.0.1 can be had: ${failure.message}`,
        remedy: "allow programs to listen on 127.0.0.1",
      }
    : { what: "loopback", state: "ok", detail: "ports of 127.0.0.1 can be had" };
}

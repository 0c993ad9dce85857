import { rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Lets go of a name. */
export type Unclaim = () => Promise<void>;

/**
 * Claims a name that one process of this machine can have at a time. It is free again as soon as that
 * process ends, however it ends: the name is an address at which somebody listens.
 * @returns undefined when somebody has it
 */
export async function claim(name: string): Promise<Unclaim | undefined> {
  const address = addressOf(`db-katas-${name}`);
  const server = (await listenAt(address)) ?? (await succeed(address));
  if (!server) return undefined;
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** Linux' abstract sockets (unix(7)) and Windows' pipes end with whoever listens; a file stays. */
function addressOf(name: string): string {
  if (process.platform === "linux") return `\0${name}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name);
}

function listenAt(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server.unref()));
  });
}

/** Where it is a file, and nobody listens any more. */
async function succeed(path: string): Promise<Server | undefined> {
  if (["linux", "win32"].includes(process.platform) || (await isAnswered(path))) return undefined;
  await rm(path, { force: true });
  return listenAt(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

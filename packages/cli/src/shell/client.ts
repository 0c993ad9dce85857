import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program of the engine's own, with what connects it. Passwords travel in its environment. */
export interface Client {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Added where statements come from a pipe: the first that fails ends it, with an exit code. */
  readonly strict: readonly string[];
}

/** The client for an engine by name, whether or not it is installed. */
export function clientFor(engine: string, adminUrl: string): Client | undefined {
  const url = new URL(adminUrl);
  if (engine === "postgres") {
    const password = decodeURIComponent(url.password);
    url.password = "";
    return {
      command: "psql",
      args: ["--no-psqlrc", "--quiet", url.href],
      env: { PGPASSWORD: password },
      strict: ["--set=ON_ERROR_STOP=1"],
    };
  }
  if (engine === "redis") {
    const user = decodeURIComponent(url.username);
    return {
      command: "redis-cli",
      args: [
        ...["-h", url.hostname, "-p", url.port || "6379", "-n", url.pathname.slice(1) || "0"],
        ...(user ? ["--user", user] : []),
      ],
      env: { REDISCLI_AUTH: decodeURIComponent(url.password) },
      strict: ["-e"],
    };
  }
  if (engine === "sqlite") {
    return { command: "sqlite3", args: [fileURLToPath(url)], env: {}, strict: ["-bail"] };
  }
  return undefined;
}

export async function isOnPath(command: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const found = await access(join(folder, command), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/**
 * @param statements run these and end; without them the terminal is the client's
 * @returns the client's exit code
 */
export function runClient(client: Client, statements: string | undefined): Promise<number> {
  const { command, args, env, strict } = client;
  const child = spawn(command, statements === undefined ? args : [...strict, ...args], {
    stdio: [statements === undefined ? "inherit" : "pipe", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  // A client that ends early leaves the rest unread; its exit code tells.
  child.stdin?.on("error", () => {});
  child.stdin?.end(`${statements}\n`);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

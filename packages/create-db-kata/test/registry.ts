/** A registry of npm packages on loopback, with this clone's packages in it. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { runServer } from "verdaccio";

const repo = join(import.meta.dirname, "..", "..", "..");
/** The command as it is published: to open a registry builds it. */
export const MAIN = join(import.meta.dirname, "..", "dist", "main.js");

const PACKAGES = [
  "packages/engines",
  "packages/grading",
  "packages/measure",
  "generators",
  "packages/cli",
];

export interface Registry {
  /** What npm and pnpm have to be told, to use this registry and no settings of the user's own. */
  readonly env: NodeJS.ProcessEnv;
  /** A folder with the files of all that was published. */
  readonly packed: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command, however it ends. */
export async function attempt(
  cwd: string,
  env: NodeJS.ProcessEnv,
  command: string,
  ...args: string[]
): Promise<Ran> {
  const options = { cwd, env, maxBuffer: 1 << 24 };
  return promisify(execFile)(command, args, options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
  );
}

/** Runs a command that has to succeed. @returns what it printed */
export async function run(...how: Parameters<typeof attempt>): Promise<string> {
  const { code, stdout, stderr } = await attempt(...how);
  if (code === 0) return stdout;
  throw new Error(`${how.slice(2).join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
}

/** Everything else comes from the registry that this machine uses, through ours. */
export async function openRegistry(katas: readonly string[]): Promise<Registry & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "db-katas-registry-"));
  const upstream = (await run(repo, process.env, "npm", "config", "get", "registry")).trim();
  const server = await listen(folder, upstream);
  const dispose = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    // npm publishes only for somebody; the registry lets everybody.
    const settings = [`registry=${url}`, `//127.0.0.1:${port}/:_authToken=anybody`, ""];
    await writeFile(join(folder, "npmrc"), settings.join("\n"));
    const env = {
      ...withoutSettings(process.env),
      NPM_CONFIG_USERCONFIG: join(folder, "npmrc"),
      npm_config_registry: url,
      NO_PROXY: [process.env.NO_PROXY, "127.0.0.1"].filter(Boolean).join(","),
    };
    const packed = join(folder, "packed");
    await publish(packed, env, katas);
    return { env, packed, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Without what the npm that runs us says of registries and users. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const told = /^p?npm_config_(?:registry|userconfig|globalconfig)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !told.test(name)));
}

async function listen(folder: string, upstream: string): Promise<Server> {
  const everybody = { access: "$all", publish: "$all" };
  const server = (await runServer({
    self_path: join(folder, "config.yaml"),
    storage: join(folder, "storage"),
    uplinks: { upstream: { url: upstream, maxage: "60m" } },
    packages: {
      "@db-katas/*": everybody,
      "create-db-kata": everybody,
      "**": { access: "$all", proxy: "upstream" },
    },
    log: { type: "stdout", level: "fatal" },
    web: { enable: false },
  } as never)) as Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function publish(
  into: string,
  env: NodeJS.ProcessEnv,
  katas: readonly string[],
): Promise<void> {
  await mkdir(into);
  const pnpm = process.env.npm_execpath?.includes("pnpm") ? process.env.npm_execpath : "pnpm";
  const [program, before] = /\.[cm]?js$/.test(pnpm) ? [process.execPath, [pnpm]] : [pnpm, []];
  await run(repo, process.env, program, ...before, "build");
  const pack = [...before, "pack", "--pack-destination", into];
  const kata = join(repo, "packages", "cli", "src", "main.ts");
  await Promise.all([
    ...[...PACKAGES, "packages/create-db-kata"].map((folder) =>
      run(join(repo, folder), process.env, program, ...pack),
    ),
    ...katas.map((name) =>
      run(repo, process.env, process.execPath, kata, "pack", name, "--out", into),
    ),
  ]);
  const files = (await readdir(into)).map((file) => join(into, file));
  await Promise.all(files.map((file) => run(into, env, "npm", "publish", "--tag", "latest", file)));
}

/** The next version of everything that a registry has, as a release would bring it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Registry, run } from "./registry.ts";

interface Manifest {
  readonly name: string;
  version: string;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

/** @param change is told the name of each package, and its folder */
export async function publishNext(
  { env, packed }: Registry,
  version: string,
  change: (name: string, folder: string) => Promise<void>,
): Promise<void> {
  const next = async (file: string) => {
    const folder = await mkdtemp(join(tmpdir(), "db-katas-next-"));
    try {
      await run(folder, env, "tar", "-xzf", join(packed, file), "--strip-components=1");
      const { name } = await editJson<Manifest>(join(folder, "package.json"), (manifest) => {
        const before = manifest.version;
        manifest.version = version;
        for (const list of [manifest.dependencies, manifest.peerDependencies]) {
          for (const each of Object.keys(list ?? {}).filter((id) => id.startsWith("@db-katas/"))) {
            if (list?.[each]) list[each] = list[each].replace(before, version);
          }
        }
      });
      if (name === "create-db-kata") await offerNext(folder, version);
      await change(name, folder);
      await run(folder, env, "npm", "publish", "--ignore-scripts", "--tag", "latest");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  await Promise.all((await readdir(packed)).map(next));
}

/** What it would write names the new versions, and the exercises that it copies have them. */
async function offerNext(folder: string, version: string): Promise<void> {
  const offer = join(folder, "dist", "offer.json");
  const { katas } = await editJson<{ version: string; katas: { name: string; version: string }[] }>(
    offer,
    (it) => {
      it.version = version;
      for (const kata of it.katas) kata.version = version;
    },
  );
  for (const { name } of katas) {
    const manifest = join(folder, "dist", "exercises", name, "package.json");
    await editJson<Manifest>(manifest, (it) => {
      it.version = version;
    });
  }
}

async function editJson<T>(file: string, edit: (value: T) => void): Promise<T> {
  const value = JSON.parse(await readFile(file, "utf8")) as T;
  edit(value);
  await writeFile(file, JSON.stringify(value, null, 2));
  return value;
}

/** Makes `dist/`, or the folder named: the command as one file, and what it copies, made of this clone. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { availableEngines, defaultTemplates, SHAPES } from "@db-katas/generators";
import { loadKata, stageExercise } from "@db-katas/grading";
import { rolldown } from "rolldown";
import type { Offer } from "./src/offer.ts";

const here = (...path: string[]) => join(import.meta.dirname, ...path);
const repo = (...path: string[]) => here("..", "..", ...path);
const into = resolve(process.argv[2] ?? here("dist"));
const dist = (...path: string[]) => join(into, ...path);

await rm(dist(), { recursive: true, force: true });
const bundle = await rolldown({ input: here("src/main.ts"), platform: "node" });
await bundle.write({ file: dist("main.js"), format: "esm", minify: false });
await cp(repo("tsconfig.base.json"), dist("tsconfig.base.json"));

const katas: Offer["katas"][number][] = [];
for (const name of (await readdir(repo("projects"))).sort()) {
  const kata = await loadKata(repo("projects", name));
  const draft = await mkdtemp(join(tmpdir(), "create-db-kata-"));
  const [exercise] = await stageExercise(kata, draft);
  if (!exercise) throw new Error(`${name} staged no exercise`);
  await mkdir(dist("exercises", name), { recursive: true });
  for (const part of ["README.md", "contract.ts", "starter", "package.json"]) {
    await cp(join(exercise.folder, part), dist("exercises", name, part), { recursive: true });
  }
  await rm(draft, { recursive: true });
  const { title, summary } = kata.definition;
  katas.push({ name, title, summary, package: exercise.name, version: exercise.version });
}
const { devDependencies, packageManager } = JSON.parse(
  await readFile(repo("package.json"), "utf8"),
);
const { catalog } = await settings();
const tools = Object.fromEntries(
  ["@types/node", "node", "turbo", "typescript"].map((name) => [
    name,
    devDependencies[name] === "catalog:" ? catalog[name] : devDependencies[name],
  ]),
);
const { version } = JSON.parse(await readFile(here("package.json"), "utf8"));
const engines = await availableEngines(defaultTemplates);
const shapes = Object.entries(SHAPES).map(([name, title]) => ({ name, title }));
const pnpm = packageManager.split("@").at(-1);
const offer: Offer = { version, katas, engines, shapes, pnpm, tools };
await writeFile(dist("offer.json"), `${JSON.stringify(offer, null, 2)}\n`);

async function settings(): Promise<{ catalog: Record<string, string> }> {
  const { parse } = await import("yaml");
  return parse(await readFile(repo("pnpm-workspace.yaml"), "utf8"));
}

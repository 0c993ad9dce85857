/** What an exercise consists of where it is published: packages that Node runs as they are. */
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { GradingError } from "../errors.ts";
import type { Kata } from "../kata.ts";
import { compile } from "../verify/types.ts";

interface ProjectManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One package, as a folder that `npm pack` takes. */
export interface Staged {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

/** What somebody has to have who verifies the exercise, falsifies its claims, or goes on with it. */
const AUTHORS_PARTS = [
  ...["README.md", "contract.ts", "kata.ts", "tsconfig.json", "grading", "starter"],
  // Experiments use what the bench has.
  ...["src", "variants", "mutants", "experiments", "bench"],
];

/**
 * Two packages. One is what a learner needs, and no answer: brief, contract and starter as they are;
 * `kata.ts` and `grading/` compiled, because Node strips no types below node_modules. The other one, the
 * solution, is the exercise as its author has it: fetched by those who have asked to see the reference,
 * and, unpacked into `projects/` of a workspace, an exercise like any other there.
 * @param into an empty folder
 * @throws GradingError `PACK_FAILED`
 */
export async function stageExercise(kata: Kata, into: string): Promise<Staged[]> {
  const manifest = await readProject(kata);
  const exercise = join(into, "exercise");
  const solution = join(into, "solution");
  await compileGrader(kata, exercise, into);
  await copyParts(kata, exercise, ["README.md", "contract.ts", "starter"]);
  const logs = (await readdir(kata.folder)).filter((name) => name.endsWith("_DECISION_LOG.md"));
  await copyParts(kata, solution, [...AUTHORS_PARTS, ...logs]);
  const installed = versionsIn(kata);
  const common = {
    version: manifest.version,
    license: manifest.license,
    type: "module",
    dependencies: installed(Object.keys(manifest.dependencies ?? {})),
  };
  const tools = Object.keys(manifest.devDependencies ?? {}).filter((name) =>
    isLearnersTool(name, manifest),
  );
  // One grading, one engines: errors of another copy would not be recognized as what they are.
  const peers = Object.entries(installed(["@db-katas/engines", "@db-katas/grading"]));
  await writeManifest(exercise, {
    name: manifest.name,
    description: kata.definition.summary,
    keywords: ["db-kata"],
    ...common,
    devDependencies: installed(tools),
    peerDependencies: Object.fromEntries(peers.map(([name, version]) => [name, `^${version}`])),
  });
  const solutionName = `${manifest.name}-solution`;
  const authors = { ...manifest.optionalDependencies, ...manifest.devDependencies };
  const authorsTools = Object.keys(authors).filter((name) => name !== "vitest");
  await writeManifest(solution, {
    name: solutionName,
    description: `The exercise ${kata.definition.title} as its author has it: every answer, right and wrong`,
    ...common,
    scripts: { types: "tsc -p .", verify: "kata verify . --all-variants" },
    devDependencies: Object.fromEntries(
      Object.entries(installed(authorsTools)).map(([name, version]) => [
        name,
        name.startsWith("@db-katas/") ? `^${version}` : version,
      ]),
    ),
  });
  const { name, version } = manifest;
  return [
    { name, version, folder: exercise },
    { name: solutionName, version, folder: solution },
  ];
}

/** A compiler, and the types of what a submission imports. The rest is its author's. */
function isLearnersTool(name: string, { dependencies = {} }: ProjectManifest): boolean {
  const typed = name.replace(/^@types\//, "");
  return name === "typescript" || (name !== typed && (typed === "node" || typed in dependencies));
}

async function readProject(kata: Kata): Promise<ProjectManifest> {
  const file = join(kata.folder, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as Partial<ProjectManifest>;
  if (manifest.name && manifest.version) return manifest as ProjectManifest;
  throw new GradingError("PACK_FAILED", `${file} has no name or no version.`, {
    remedy: 'give it both: "name": "@you/your-exercise", "version": "0.1.0"',
  });
}

async function compileGrader(kata: Kata, outDir: string, into: string): Promise<void> {
  const config = join(kata.folder, `.tsconfig.pack-${process.pid}.json`);
  const compilerOptions = { noEmit: false, rootDir: kata.folder, outDir };
  const include = ["kata.ts", "grading"];
  await mkdir(into, { recursive: true });
  await writeFile(config, JSON.stringify({ extends: "./tsconfig.json", compilerOptions, include }));
  try {
    const problems = await compile(kata, config);
    if (problems.length > 0) {
      throw new GradingError(
        "PACK_FAILED",
        `${kata.name} does not compile:\n${problems.join("\n")}`,
        {
          remedy: `pnpm exec tsc -p ${kata.folder}`,
        },
      );
    }
  } finally {
    await rm(config, { force: true });
  }
  // Types only: nothing is left of it, and the attempt gets the original.
  await rm(join(outDir, "contract.js"), { force: true });
  const others = (await readdir(outDir)).filter(
    (name) => !/^(?:kata|contract)\.|^grading$/.test(name),
  );
  if (others.length > 0) {
    throw new GradingError(
      "PACK_FAILED",
      `The grader of ${kata.name} imports from ${others.join(", ")}, and learners would get that with it.`,
      { remedy: "move what both need into grading/ or contract.ts" },
    );
  }
}

async function copyParts(kata: Kata, folder: string, parts: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of parts) {
    const from = join(kata.folder, part);
    if (await stat(from).catch(() => undefined))
      await cp(from, join(folder, part), { recursive: true });
  }
}

/** The versions that the exercise was verified with, whatever its package.json calls them. */
function versionsIn(kata: Kata): (names: readonly string[]) => Record<string, string> {
  const { resolve } = createRequire(join(kata.folder, "package.json"));
  return (names) => Object.fromEntries(names.map((name) => [name, versionOf(resolve, name)]));
}

function versionOf(resolve: NodeJS.RequireResolve, name: string): string {
  for (const folder of resolve.paths(name) ?? []) {
    try {
      return (createRequire(import.meta.url)(join(folder, name, "package.json")) as ProjectManifest)
        .version;
    } catch {
      // Further up, then.
    }
  }
  throw new GradingError("PACK_FAILED", `${name} is not installed.`, { remedy: "pnpm install" });
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

import { cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, posix, relative } from "node:path";
import { attemptExists } from "./errors.ts";
import { asTypedWith, packageManagerOf } from "./package-manager.ts";
import { recordFolder } from "./template-record.ts";

/** An exercise as an attempt needs it: brief, contract, starter, and what its package.json asks for. */
export interface AttemptOptions {
  /** The exercise's name, which becomes that of the folder in `attempts/`. */
  readonly name: string;
  /** Its folder, or that of the package that it was published as. */
  readonly exercise: string;
  /** A workspace's root. */
  readonly root: string;
  /** Where the exercise will be, for links in the brief. Default: `exercise`. */
  readonly installed?: string;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/**
 * Copies brief, contract and starter into `attempts/`, and nothing that tells the answer. What it wrote
 * is recorded, for `kata update`.
 * @returns the attempt's folder
 * @throws GeneratorError `ATTEMPT_EXISTS`
 */
export async function createAttempt(options: AttemptOptions): Promise<string> {
  const { name, exercise, root } = options;
  const folder = join(root, "attempts", name);
  if (await exists(folder)) throw attemptExists(name, folder);
  // Made aside and renamed: an attempt is there whole or not at all.
  const draft = join(root, "attempts", `.draft-${name}-${process.pid}`);
  try {
    await mkdir(draft, { recursive: true });
    await cp(join(exercise, "starter"), join(draft, "src"), { recursive: true });
    await cp(join(exercise, "contract.ts"), join(draft, "contract.ts"));
    const brief = asTypedWith(packageManagerOf(root) ?? "pnpm", await briefFor(options, folder));
    await writeFile(join(draft, "README.md"), brief);
    await writeJson(join(draft, "package.json"), await manifestFor(options));
    // A grade is never remembered: turbo doesn't look into ignored folders, nor at the checks.
    await writeJson(join(draft, "turbo.json"), {
      extends: ["//"],
      tasks: { test: { cache: false } },
    });
    await writeJson(join(draft, "tsconfig.json"), {
      extends: relative(folder, join(root, "tsconfig.base.json")).replaceAll("\\", "/"),
      include: ["src", "contract.ts"],
    });
    await recordFolder(draft, await packageOf(exercise, name));
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** The brief, with links to what an attempt doesn't have pointed at the exercise, where it is there. */
async function briefFor(
  { exercise, installed = exercise }: AttemptOptions,
  folder: string,
): Promise<string> {
  const brief = await readFile(join(exercise, "README.md"), "utf8");
  const links = [...brief.matchAll(/\[([^\]]*)\]\((?!\w+:|#|contract\.ts)([^)]+)\)/g)];
  const there = await Promise.all(
    links.map(([, , path = ""]) => exists(join(exercise, path.replace(/#.*/, "")))),
  );
  const base = relative(folder, installed).replaceAll("\\", "/");
  return links.reduce(
    (text, [link, label = "", path = ""], i) =>
      text.replaceAll(link, there[i] ? `[${label}](${posix.join(base, path)})` : label),
    brief,
  );
}

async function manifestFor({ name, exercise, root }: AttemptOptions): Promise<object> {
  const [own, workspace] = await Promise.all([exercise, root].map(readManifest));
  const { dependencies = {}, devDependencies = {} } = own ?? {};
  const tools = Object.entries(devDependencies).filter(([tool]) =>
    isLearnersTool(tool, dependencies),
  );
  return {
    name: `@attempts/${name}`,
    private: true,
    type: "module",
    kata: name,
    scripts: {
      types: "tsc -p .",
      grade: "kata grade .",
      test: "kata grade . --report json=.kata/report/grade.json",
    },
    dependencies,
    devDependencies: {
      "@db-katas/cli": workspace?.devDependencies?.["@db-katas/cli"] ?? "workspace:*",
      ...Object.fromEntries(tools),
    },
  };
}

/** A compiler, and the types of what a submission imports: as a published exercise has them. */
function isLearnersTool(tool: string, dependencies: object): boolean {
  const typed = tool.replace(/^@types\//, "");
  return tool === "typescript" || (tool !== typed && (typed === "node" || typed in dependencies));
}

async function packageOf(exercise: string, otherwise: string): Promise<string> {
  const { name = otherwise, version } = await readManifest(exercise);
  return version === undefined ? name : `${name}@${version}`;
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
}

async function writeJson(file: string, value: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

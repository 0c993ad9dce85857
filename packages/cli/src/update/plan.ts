/** All that an update would do, before anything is done. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  defaultTemplates,
  formatRecord,
  packageManagerOf,
  recordedFile,
  TEMPLATE_RECORD,
} from "@db-katas/generators";
import { CliError } from "../errors.ts";
import { kataFolders, type Workspace } from "../workspace.ts";
import { type MergedTree, mergeTrees, type Outcome } from "./merge-trees.ts";
import {
  exerciseTemplate,
  followVersions,
  ownExercises,
  versionsIn,
  withoutReplaced,
} from "./own-exercises.ts";
import {
  fetchExerciseTemplates,
  fetchTemplates,
  isClone,
  localTemplate,
  type Templates,
} from "./templates.ts";
import { type Content, isSame, type Recorded, readRecord, readTree, type Tree } from "./tree.ts";

export interface Update {
  /** What the parts were made from, and what they are merged with: `from → to`, each once. */
  readonly versions: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** Relative to the workspace's root. */
  readonly changes: ReadonlyMap<string, Content | undefined>;
  /** What a person ought to know beside the files. */
  readonly notes: readonly string[];
}

const MARK = /^<<<<<<< /m;

/**
 * @param to a version or a tag of the packages; of no matter in a clone
 * @throws CliError `UPDATE_REFUSED`, `UPDATE_FAILED`, `PACKAGE_NOT_FOUND`
 */
export async function planUpdate(workspace: Workspace, to: string): Promise<Update> {
  const attempts = await startedAttempts(workspace);
  const outcomes: Outcome[] = [];
  const changes = new Map<string, Content | undefined>();
  const versions = new Set<string>();
  const notes: string[] = [];
  const add = (folder: string, base: Recorded, theirs: Recorded, yours: Tree) => {
    const at = (path: string) => (folder ? `${folder}/${path}` : path);
    const merged = mergeTrees(base.tree, yours, theirs.tree, {
      yours: "yours",
      theirs: theirs.from,
    });
    refuseMarks(folder, merged, yours);
    for (const [path, content] of merged.changes) changes.set(at(path), content);
    outcomes.push(...merged.outcomes.map((each) => ({ ...each, path: at(each.path) })));
    if (base.from !== theirs.from) versions.add(`${base.from} → ${theirs.from}`);
    return merged;
  };

  let templates: Templates | undefined;
  const before = await readFile(join(workspace.root, "package.json"), "utf8").catch(() => "{}");
  let manifest = before;
  if (!(await isClone(workspace))) {
    templates = await fetchTemplates(workspace, to, attempts);
    const base = await recordOfRoot(workspace);
    const yours = await ofRoot(workspace, base.tree, templates.root.tree);
    const merged = add("", base, templates.root, yours);
    manifest = merged.changes.get("package.json")?.bytes.toString("utf8") ?? manifest;
    record("", base, templates.root);
  }
  await addExercises();
  const exercises = await kataFolders(workspace);
  for (const name of attempts) {
    const folder = `attempts/${name}`;
    const exercise = exercises.get(name);
    const kata = exercise === undefined ? undefined : { name, folder: exercise };
    const theirs =
      templates?.attempts.get(name) ?? (kata && (await localTemplate(workspace, kata, manifest)));
    if (!theirs) {
      notes.push(`${folder} is left alone: its exercise is neither here nor in that version.`);
      continue;
    }
    const recorded = await readRecord(join(workspace.root, folder));
    if (!recorded && !kata) {
      notes.push(`${folder} is left alone: nothing says what it was made from.`);
      continue;
    }
    if (!recorded) {
      notes.push(`${folder} had no ${TEMPLATE_RECORD}: taken as made from what is installed.`);
    }
    const base = recorded ?? (await localTemplate(workspace, kata as never, manifest));
    add(folder, base, theirs, await readTree(join(workspace.root, folder)));
    record(folder, recorded, theirs);
  }
  return { versions: [...versions], outcomes, changes, notes };

  async function addExercises(): Promise<void> {
    const exercises = await ownExercises(workspace);
    const made = exercises.flatMap(({ folder, base }) => (base ? [{ folder, base }] : []));
    const place =
      made.length > 0 && templates
        ? await fetchExerciseTemplates(workspace, templates.tools)
        : defaultTemplates;
    const surroundings = { versions: versionsIn(manifest), pm: packageManagerOf(workspace.root) };
    for (const { folder, base } of made) {
      const theirs = await exerciseTemplate(base, place, surroundings);
      if (typeof theirs === "string") {
        notes.push(`${folder} is left alone: ${theirs}`);
        continue;
      }
      const yours = await readTree(join(workspace.root, folder));
      const { kept, ...rest } = withoutReplaced(base.tree, yours, theirs.tree);
      add(folder, { ...base, tree: rest.base }, { ...theirs, tree: rest.theirs }, yours);
      outcomes.push(...kept.map((each) => ({ ...each, path: `${folder}/${each.path}` })));
      record(folder, base, theirs);
    }
    const others = exercises.filter(({ base }) => !base);
    const versions = [versionsIn(before), versionsIn(manifest)] as const;
    for (const [path, content] of await followVersions(workspace, others, versions)) {
      changes.set(path, content);
      outcomes.push({ path, state: "updated", note: "versions only: the exercise is yours" });
    }
  }

  function record(folder: string, base: Recorded | undefined, theirs: Recorded): void {
    if (base && base.from === theirs.from && isSameTree(base.tree, theirs.tree)) return;
    const files = [...theirs.tree].map(
      ([path, { bytes, executable }]) => [path, recordedFile(bytes, executable)] as const,
    );
    const bytes = Buffer.from(formatRecord(theirs.from, files, theirs.asked));
    const path = folder ? `${folder}/${TEMPLATE_RECORD}` : TEMPLATE_RECORD;
    changes.set(path, { bytes, executable: false });
  }
}

async function startedAttempts({ root }: Workspace): Promise<string[]> {
  const entries = await readdir(join(root, "attempts"), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.filter((name) => !name.startsWith(".")).sort();
}

async function recordOfRoot({ root }: Workspace): Promise<Recorded> {
  const recorded = await readRecord(root);
  if (recorded) return recorded;
  throw new CliError("UPDATE_REFUSED", `Nothing says what ${root} was made from.`, {
    likelyCause: `${TEMPLATE_RECORD} is not there: removed, or never committed`,
    remedy: `git checkout <a commit that has it> -- ${TEMPLATE_RECORD}; or make a new workspace and move your attempts there`,
  });
}

/** Of the workspace's own folder only what a template has: the rest is none of our business. */
async function ofRoot({ root }: Workspace, base: Tree, theirs: Tree): Promise<Tree> {
  const names = new Set([...base.keys(), ...theirs.keys()]);
  const all = await Promise.all(
    [...names].map(async (path) => [path, await readIfAny(join(root, path))] as const),
  );
  return new Map(
    all.flatMap(([path, bytes]) => (bytes ? [[path, { bytes, executable: false }]] : [])),
  );
}

function readIfAny(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

function isSameTree(a: Tree, b: Tree): boolean {
  return a.size === b.size && [...a].every(([path, content]) => isSame(content, b.get(path)));
}

/** Marks of two updates in one file are more than a person can sort out. */
function refuseMarks(folder: string, { changes }: MergedTree, yours: Tree): void {
  const marked = [...changes.keys()].find((path) => {
    const bytes = yours.get(path)?.bytes;
    return bytes !== undefined && MARK.test(bytes.toString("utf8"));
  });
  if (marked === undefined) return;
  const file = folder ? `${folder}/${marked}` : marked;
  throw new CliError("UPDATE_REFUSED", `${file} still holds the marks of a conflict.`, {
    likelyCause: "the last update, or a merge of git's, is not sorted out yet",
    remedy: `choose between what is above and below each =======, and save ${file}`,
  });
}

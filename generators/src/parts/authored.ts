/** An exercise as its author sees it: files, and who fails whom. Nothing of it is run. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { exerciseUnknown, manifestUnreadable } from "../errors.ts";
import { type Choice, type Question, said } from "./part.ts";

export interface AuthoredCheck {
  readonly id: string;
  /** Its number among the checks, which is their order. */
  readonly number: number;
  /** Relative to the exercise. */
  readonly file: string;
}

export interface AuthoredMutant {
  readonly name: string;
  /** The variant that it is made of; undefined: the reference. */
  readonly of: string | undefined;
  readonly must: readonly string[];
  readonly may: readonly string[];
}

export interface Authored {
  readonly name: string;
  readonly folder: string;
  readonly checks: readonly AuthoredCheck[];
  readonly mutants: readonly AuthoredMutant[];
  readonly variants: readonly string[];
}

/** @throws GeneratorError `EXERCISE_UNKNOWN`, `MANIFEST_UNREADABLE` */
export async function readAuthored(root: string, name: string): Promise<Authored> {
  const known = await authoredNames(root);
  if (!known.includes(name)) throw exerciseUnknown(name, known);
  const folder = join(root, "projects", name);
  const [files, mutants, variants] = await Promise.all([
    readdir(join(folder, "grading")).catch(() => []),
    foldersIn(join(folder, "mutants")),
    foldersIn(join(folder, "variants")),
  ]);
  return {
    name,
    folder,
    checks: files.sort().flatMap(asCheck),
    mutants: await Promise.all(mutants.map((each) => readMutant(folder, each))),
    variants,
  };
}

/** The question for one of the workspace's own exercises. */
export const whichKata: Question = {
  name: "kata",
  positional: true,
  required: true,
  message: "Which exercise?",
  help: "an exercise in projects/",
  choices: async (root) => (await authoredNames(root)).map(asChoice),
};

/** For a question about one of its checks, asked after {@link whichKata}. */
export const itsChecks: NonNullable<Question["choices"]> = async (root, answers) =>
  (await readAuthored(root, said(answers, "kata"))).checks.map(({ id }) => asChoice(id));

export function asChoice(value: string): Choice {
  return { value, label: value };
}

/** A file of the exercise, by its path in the workspace. */
export function pathIn(kata: Authored, ...parts: readonly string[]): string {
  return ["projects", kata.name, ...parts].join("/");
}

/** Every file below a folder, by its path in it, with `/`. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

async function authoredNames(root: string): Promise<string[]> {
  const names = await foldersIn(join(root, "projects"));
  const files = await Promise.all(
    names.map((name) => stat(join(root, "projects", name, "kata.ts")).catch(() => undefined)),
  );
  return names.filter((_, i) => files[i] !== undefined);
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
}

function asCheck(file: string): AuthoredCheck[] {
  const [, number, id] = /^(\d+)-(.+)\.grade\.ts$/.exec(file) ?? [];
  return id ? [{ id, number: Number(number), file: `grading/${file}` }] : [];
}

async function readMutant(folder: string, name: string): Promise<AuthoredMutant> {
  const file = join(folder, "mutants", name, "mutant.json");
  try {
    const { of, must = [], may = [] } = JSON.parse(await readFile(file, "utf8"));
    return { name, of, must, may };
  } catch (cause) {
    throw manifestUnreadable(file, cause);
  }
}

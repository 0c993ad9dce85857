import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Capability } from "@db-katas/engines";
import { GradingError } from "./errors.ts";

/**
 * What an exercise has an engine for. Its key is what checks, traces and `kata shell` call it:
 * `{ postgres: {} }`, or `{ legacy: { engine: "postgres" }, modern: { engine: "postgres" } }`.
 */
export interface EngineRole {
  /** The engine by name. Default: the role is named like its engine. */
  readonly engine?: string;
  readonly needs?: readonly Capability[];
}

/** The engine by name that has that role. */
export function engineOf(role: string, { engine = role }: { readonly engine?: string }): string {
  return engine;
}

/** The engines of an exercise by name, each once, whatever their roles. */
export function enginesOf({ engines }: KataDefinition): readonly string[] {
  return [...new Set(Object.entries(engines).map(([role, each]) => engineOf(role, each)))];
}

/** What an exercise is, as data: nothing in here starts anything. */
export interface KataDefinition {
  readonly title: string;
  /** One sentence for `kata list`. */
  readonly summary: string;
  /** Where in the guide the exercise comes from. */
  readonly guideSection: string;
  readonly level: "introductory" | "intermediate" | "advanced";
  /** How long a senior engineer may expect to sit over it. */
  readonly minutes: number;
  readonly concepts: readonly string[];
  /** The engines that the checks use, by role; a check may ask for more capabilities of its own. */
  readonly engines: { readonly [role: string]: EngineRole };
  /**
   * Packages that app nodes may be given as one file each when the exercise itself is verified: nodes
   * start faster so. Only such as work when bundled. A learner's are always loaded as they are installed.
   */
  readonly bundled?: readonly string[];
  /**
   * Claims that learners make in a decision log of their own, `src/DATABASE_DECISION_LOG.md`, with
   * experiments in `src/experiments/`. Their points are apart from the rubric's: `kata grade --claims`.
   */
  readonly claims?: {
    /** How many are wanted. */
    readonly count: number;
    /** For each of them. */
    readonly points: number;
    /**
     * What an engine's distance grows by, in each direction, in milliseconds, to see whether a claim can
     * fail: more than a busy machine makes up, less than the client's patience.
     */
    readonly delayMs: number;
  };
  readonly limits: {
    /** JavaScript heap of one app node, in MiB. */
    readonly memoryMb: number;
    /** The longest that the grader waits for one call to an app node, in milliseconds. */
    readonly callMs: number;
    /** The longest that one check may take, engines' start not counted, in milliseconds. */
    readonly checkMs: number;
    /** Processes and threads of one isolated app node; a bare one has about eleven. Default 128. */
    readonly tasks?: number;
    /** Files of one isolated app node, in MiB. Default 100. */
    readonly diskMb?: number;
  };
}

export function defineKata(definition: KataDefinition): KataDefinition {
  return definition;
}

/** An exercise found on disk. */
export interface Kata {
  /** The folder's name, which is the name that people type. */
  readonly name: string;
  readonly folder: string;
  readonly definition: KataDefinition;
}

/** Where an exercise says what it is: `kata.ts`, or `kata.js` in a published one; undefined for none. */
export async function kataFile(folder: string): Promise<string | undefined> {
  for (const name of ["kata.ts", "kata.js"]) {
    const file = join(resolve(folder), name);
    if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  }
  return undefined;
}

/**
 * @param folder an exercise's folder, or that of the package that it was published as
 * @throws GradingError `KATA_INVALID`
 */
export async function loadKata(folder: string): Promise<Kata> {
  const file = await kataFile(folder);
  if (file === undefined) {
    throw new GradingError("KATA_INVALID", `There is no exercise in ${folder}: no kata.ts.`, {
      remedy: "pnpm kata list",
    });
  }
  let definition: KataDefinition | undefined;
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: KataDefinition };
    definition = module.default;
  } catch (cause) {
    throw new GradingError("KATA_INVALID", `${file} could not be loaded: ${messageOf(cause)}`, {
      likelyCause: "a syntax error, or an import that does not resolve",
      remedy: `pnpm exec tsc -p ${folder}`,
      cause,
    });
  }
  if (!definition?.engines || !definition.limits || !definition.title) {
    throw new GradingError("KATA_INVALID", `${file} does not default-export defineKata({ … }).`);
  }
  return { name: basename(resolve(folder)), folder: resolve(folder), definition };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

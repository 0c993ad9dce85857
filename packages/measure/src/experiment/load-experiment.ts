import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { experimentInvalid, messageOf } from "../errors.ts";
import { type Bench, builtInMetrics, type ExperimentDefinition, type Stage } from "./definition.ts";

/** An experiment found on disk. */
export interface Experiment {
  /** The file's name without its endings. */
  readonly name: string;
  readonly file: string;
  /** Of its text, and of what it imports by a path: results of other texts are another experiment's. */
  readonly sha256: string;
  readonly definition: ExperimentDefinition;
}

const positive = z.number().positive();
const count = z.number().int().positive();
const name = z
  .string()
  .regex(/^[A-Za-z][\w-]*$/, "a name begins with a letter, then letters, digits, - and _");
const schema = z.object({
  title: z.string().min(1),
  parameters: z.record(name, z.object({ what: z.string(), full: positive, quick: positive })),
  engines: z.record(
    name,
    z.object({
      engine: z.string(),
      needs: z.array(z.string()).optional(),
      isolation: z.enum(["namespace", "instance"]).optional(),
    }),
  ),
  contenders: z
    .record(name, z.object({ what: z.string(), memoryOf: z.array(z.string()).optional() }))
    .refine((all) => Object.keys(all).length > 0, "there is no contender"),
  metrics: z
    .record(
      name.regex(
        /^(?!p\d|mean$|max$|growth$|at$|and$)/,
        "the language of claims has another use for this name",
      ),
      z
        .object({ what: z.string(), kind: z.enum(["latency", "value"]), unit: z.string() })
        .refine(({ kind, unit }) => kind === "value" || unit === "ms", "latencies are in ms"),
    )
    .refine(
      (all) => Object.keys(all).every((each) => !(each in builtInMetrics)),
      "one of these is measured anyway",
    )
    .optional(),
  load: z
    .discriminatedUnion("kind", [
      z.object({
        kind: z.literal("open"),
        perSecond: positive,
        ms: positive,
        mostInFlight: count.optional(),
      }),
      z.object({ kind: z.literal("closed"), clients: count, ms: positive }),
    ])
    .optional(),
  warmUpTurns: z.number().int().nonnegative().optional(),
  turns: count.optional(),
  open: z.custom<(stage: Stage) => Promise<Bench>>(
    (value) => typeof value === "function",
    "a function",
  ),
});

/**
 * @param file a module that default-exports what {@link defineExperiment} returns
 * @throws MeasureError `EXPERIMENT_INVALID`
 */
export async function loadExperiment(file: string): Promise<Experiment> {
  let module: { default?: unknown };
  try {
    await readFile(file);
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    throw experimentInvalid(file, [messageOf(cause)], cause);
  }
  const definition = parseDefinition(file, module.default);
  return {
    name: basename(file).replace(/(\.experiment)?\.[jt]s$/, ""),
    file,
    sha256: await fingerprintOf(file),
    definition,
  };
}

/**
 * @param file for messages
 * @throws MeasureError `EXPERIMENT_INVALID`
 */
export function parseDefinition(file: string, written: unknown): ExperimentDefinition {
  const parsed = schema.safeParse(written);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const [why = issue] = issue.code === "invalid_key" ? issue.issues : [];
      return `${issue.path.join(".") || "default export"}: ${why.message}`;
    });
    throw experimentInvalid(file, problems);
  }
  const definition = written as ExperimentDefinition;
  const roles = Object.values(definition.contenders).flatMap(({ memoryOf = [] }) => memoryOf);
  const unknown = roles.filter((role) => !(role in definition.engines));
  if (unknown.length > 0) {
    throw experimentInvalid(
      file,
      unknown.map((role) => `memoryOf: there is no engine "${role}"`),
    );
  }
  return definition;
}

/** Specifiers that are paths. One that stands in a comment adds a file to the fingerprint, and harms nobody. */
const IMPORTED = /\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g;

/** Of a file and of all files that it imports by a path, directly or not; packages have versions. */
async function fingerprintOf(file: string): Promise<string> {
  const texts = new Map<string, string>();
  const read = async (path: string): Promise<void> => {
    if (texts.has(path)) return;
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return;
    texts.set(path, text);
    for (const [, specifier = ""] of text.matchAll(IMPORTED)) {
      await read(resolve(dirname(path), specifier));
    }
  };
  await read(resolve(file));
  const hash = createHash("sha256");
  // Where on this machine it is, makes no difference.
  const named = [...texts].map(([path, text]) => [relative(dirname(file), path), text] as const);
  for (const [name, text] of named.sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${name}\0${text}\0`);
  }
  return hash.digest("hex");
}

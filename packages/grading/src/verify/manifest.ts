import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { GradingError } from "../errors.ts";
import { type Kata, messageOf } from "../kata.ts";
import type { Rubric } from "../rubric.ts";

const mutantSchema = z.strictObject({
  /** The trap of the dossier that it falls into, as a slug. */
  trap: z.string(),
  /** Why sensible people write this. */
  why: z.string().min(20),
  /** The variant that its files and patches are for. Default: the reference. */
  of: z.string().optional(),
  /** Checks that it fails, each time. */
  must: z.array(z.string()).min(1),
  /** Checks that it may fail as well, for the same reason. */
  may: z.array(z.string()).default([]),
});

const variantSchema = z.strictObject({
  /** What it does differently from the reference. */
  differs: z.string().min(20),
  /** Why it is right all the same. */
  why: z.string().min(20),
});

/** A plausible wrong answer: files laid over the reference solution, or over a variant. */
export interface Mutant extends z.infer<typeof mutantSchema> {
  readonly name: string;
  readonly folder: string;
}

/** A right answer of another kind. */
export interface Variant extends z.infer<typeof variantSchema> {
  readonly name: string;
  readonly folder: string;
}

/** @throws GradingError `MANIFEST_INVALID` */
export async function loadMutants(kata: Kata, rubric: Rubric): Promise<Mutant[]> {
  const [mutants, variants] = await Promise.all([
    loadAll(kata, "mutants", "mutant.json", mutantSchema),
    loadVariants(kata),
  ]);
  const ids = new Set(rubric.map((check) => check.id));
  for (const mutant of mutants) {
    const unknown = [...mutant.must, ...mutant.may].find((id) => !ids.has(id));
    if (unknown) {
      throw invalid(join(mutant.folder, "mutant.json"), `there is no check called ${unknown}`);
    }
    if (mutant.of !== undefined && !variants.some(({ name }) => name === mutant.of)) {
      throw invalid(join(mutant.folder, "mutant.json"), `there is no variant called ${mutant.of}`);
    }
  }
  return mutants;
}

/** @throws GradingError `MANIFEST_INVALID` */
export function loadVariants(kata: Kata): Promise<Variant[]> {
  return loadAll(kata, "variants", "variant.json", variantSchema);
}

async function loadAll<T>(
  kata: Kata,
  kind: string,
  file: string,
  schema: z.ZodType<T>,
): Promise<(T & { name: string; folder: string })[]> {
  const root = join(kata.folder, kind);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const folder = join(root, name);
      const path = join(folder, file);
      let raw: unknown;
      try {
        raw = JSON.parse(await readFile(path, "utf8"));
      } catch (cause) {
        throw invalid(path, messageOf(cause), cause);
      }
      const parsed = schema.safeParse(raw);
      if (!parsed.success) throw invalid(path, z.prettifyError(parsed.error));
      return { ...parsed.data, name, folder };
    }),
  );
}

function invalid(path: string, what: string, cause?: unknown): GradingError {
  return new GradingError("MANIFEST_INVALID", `${path} is not right: ${what}`, { cause });
}

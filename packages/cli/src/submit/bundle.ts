/** A submission as one file: code, what it was graded, and where. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { type Scorecard, scorecardSchema } from "@db-katas/grading";
import { z } from "zod";
import { type ArchivedFile, packFiles, readArchive } from "../archive.ts";
import { CliError } from "../errors.ts";
import { type FullGrade, fullGradeSchema } from "../results.ts";
import { CODE_LIMITS } from "./collect.ts";

const MANIFEST = "bundle.json";
const SCORECARD = "scorecard.json";
const CODE = "code/";

/** Code, and a scorecard whose timelines may be long. */
const LIMITS = {
  files: CODE_LIMITS.files + 2,
  fileBytes: 8 << 20,
  totalBytes: CODE_LIMITS.totalBytes + (8 << 20),
};

const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  kata: z.string().regex(/^[\w-]{1,100}$/),
  author: z.string().max(200).optional(),
  seed: z.int().describe("what data and schedules of the claimed grade were drawn from"),
  sources: fullGradeSchema.shape.sources,
  environment: fullGradeSchema.shape.environment,
  engines: scorecardSchema.shape.engines,
  scorecard: z.string().describe("the SHA-256 of scorecard.json"),
  code: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })),
});

export type BundleManifest = z.infer<typeof manifestSchema>;

export interface OpenedBundle {
  readonly manifest: BundleManifest;
  /** What its author claims: nothing proves it. */
  readonly claimed: Scorecard;
  readonly code: readonly ArchivedFile[];
  /** What is not as it was when the bundle was made, as its own hashes tell. */
  readonly altered: readonly string[];
}

/** Equal input makes equal bytes. */
export function packBundle(
  { scorecard, sources, environment }: FullGrade,
  code: readonly ArchivedFile[],
  author: string | undefined,
): Promise<Buffer> {
  const card = json(scorecard);
  const manifest: BundleManifest = {
    schemaVersion: 1,
    kata: scorecard.kata,
    ...(author !== undefined && { author }),
    seed: scorecard.seed,
    sources,
    environment,
    engines: scorecard.engines,
    scorecard: sha256(card),
    code: code.map(({ path, bytes }) => ({ path, bytes: bytes.length, sha256: sha256(bytes) })),
  };
  return packFiles([
    { path: MANIFEST, bytes: json(manifest), executable: false },
    { path: SCORECARD, bytes: card, executable: false },
    ...code.map((file) => ({ ...file, path: `${CODE}${file.path}` })),
  ]);
}

/**
 * Reads a bundle of somebody whom nobody vouches for. Nothing of it is written, nothing is run.
 * @throws CliError `BUNDLE_REFUSED`
 */
export async function openBundle(file: string): Promise<OpenedBundle> {
  const refuse = (why: string) => bundleRefused(file, why);
  const files = await readArchive(file, LIMITS, refuse).catch((error: Error) => {
    throw error instanceof CliError ? error : refuse(`it can't be read (${error.message})`);
  });
  const find = (name: string) => files.find(({ path }) => path === name)?.bytes;
  const manifest = parsed(manifestSchema, find(MANIFEST), () => refuse(`its ${MANIFEST} is none`));
  const card = find(SCORECARD);
  const claimed = parsed(scorecardSchema, card, () => refuse(`its ${SCORECARD} is none`));
  const rest = files.filter(({ path }) => path !== MANIFEST && path !== SCORECARD);
  const stray = rest.find(({ path }) => !path.startsWith(CODE));
  if (stray) throw refuse(`${JSON.stringify(stray.path)} is no part of a bundle`);
  const code = rest.map((each) => ({ ...each, path: each.path.slice(CODE.length) }));
  const unequal = card && sha256(card) !== manifest.scorecard ? [SCORECARD] : [];
  return { manifest, claimed, code, altered: [...unequal, ...alteredCode(manifest, code)] };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function alteredCode({ code: said }: BundleManifest, code: readonly ArchivedFile[]): string[] {
  const was = new Map(said.map(({ path, sha256 }) => [path, sha256]));
  const is = new Map(code.map(({ path, bytes }) => [path, sha256(bytes)]));
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths.filter((path) => was.get(path) !== is.get(path));
}

function parsed<T>(schema: z.ZodType<T>, bytes: Buffer | undefined, refuse: () => CliError): T {
  try {
    return schema.parse(JSON.parse(bytes?.toString("utf8") ?? ""));
  } catch {
    throw refuse();
  }
}

function json(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function bundleRefused(file: string, why: string): CliError {
  return new CliError("BUNDLE_REFUSED", `${basename(file)} is refused: ${why}.`, {
    likelyCause: "it was not made by kata submit, or it was cut off, or somebody means harm",
    remedy: "have it made and sent once more: pnpm kata submit --bundle",
  });
}

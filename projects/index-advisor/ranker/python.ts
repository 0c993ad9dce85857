/** LightGBM, in a Python environment of its own. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { modelSchema } from "../src/ranker/predict.ts";

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const environment = here("../.kata/ranker-python");
const program = `${environment}/${process.platform === "win32" ? "Scripts/python.exe" : "bin/python"}`;
const requirements = here("requirements.txt");

export interface TrainingRequest {
  readonly features: readonly string[];
  /** NaN goes as null, which JSON has a word for. */
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
  /** Rows that are to be predicted with what came out. */
  readonly predict: readonly (readonly number[])[];
  readonly trees: number;
  readonly seed: number;
}

const grown = z.object({
  lightgbm: z.string(),
  trees: modelSchema.shape.trees,
  predictions: z.array(z.number()),
  /** By feature: its part in what all splits gain; together 1. */
  gains: z.record(z.string(), z.number()),
});

/** @throws with LightGBM's own words where it can't */
export async function grow(request: TrainingRequest): Promise<z.infer<typeof grown>> {
  await prepare();
  const child = spawn(program, [here("train.py")], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(request));
  let answer = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) answer += chunk;
  if (answer === "") throw new Error("ranker/train.py gave no answer: its complaint is above.");
  return grown.parse(JSON.parse(answer));
}

/** Once, and again when `requirements.txt` is another. */
async function prepare(): Promise<void> {
  const wanted = await readFile(requirements, "utf8");
  const stamp = `${environment}/installed.txt`;
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) return;
  const python = process.env.KATA_PYTHON ?? "python3";
  console.error(`Installing LightGBM for ${python} into .kata/ranker-python, once …`);
  try {
    await run(python, ["-m", "venv", "--clear", environment]);
    await run(program, ["-m", "pip", "install", "-q", "--require-hashes", "-r", requirements]);
  } catch (cause) {
    throw new Error(
      "LightGBM couldn't be installed. Training takes Python 3.11 or newer with venv and pip: name " +
        "one with KATA_PYTHON. Using the model that is there takes none of it.",
      { cause },
    );
  }
  await writeFile(stamp, wanted);
}

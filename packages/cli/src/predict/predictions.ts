/** What a person said before anything was measured. Nothing of it is ever changed. */
import { join } from "node:path";
import { z } from "zod";
import { addLine, readLines } from "./lines.ts";

const said = {
  at: z.iso.datetime(),
  /** Of the code that there was then. */
  fingerprint: z.string(),
  id: z.string(),
};

const forecastSchema = z.object({
  ...said,
  /** That a check passes at its first grade, or that a claim holds. */
  about: z.enum(["check", "claim"]),
  /** From 0 to 1. */
  probability: z.number().min(0).max(1),
});

const rangeSchema = z.object({
  ...said,
  /** Of a claim: what its first comparison is found to be. */
  about: z.literal("figure"),
  /** In base units (seconds, bytes): the figure is in between, with 90 %. */
  low: z.number(),
  high: z.number(),
  /** As the person said it. */
  unit: z.string(),
});

export const predictionSchema = z.discriminatedUnion("about", [forecastSchema, rangeSchema]);

/** That something comes true. */
export type Forecast = Readonly<z.infer<typeof forecastSchema>>;
/** That a figure lies in between. */
export type Range = Readonly<z.infer<typeof rangeSchema>>;
export type Prediction = Forecast | Range;

function fileOf(attempt: string): string {
  return join(attempt, ".kata", "predictions.jsonl");
}

/** @param attempt its folder */
export function addPrediction(attempt: string, prediction: Prediction): Promise<void> {
  return addLine(fileOf(attempt), prediction);
}

/** In the order in which they were said. */
export function readPredictions(attempt: string): Promise<Prediction[]> {
  return readLines(fileOf(attempt), predictionSchema);
}

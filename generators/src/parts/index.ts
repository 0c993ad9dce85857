import { check } from "./check.ts";
import { claim } from "./claim.ts";
import { engine } from "./engine.ts";
import { exercise } from "./exercise.ts";
import { fault } from "./fault.ts";
import { mutant } from "./mutant.ts";
import type { Part } from "./part.ts";
import { variant } from "./variant.ts";

/** Every generator, in the order in which help lists them. */
export const parts: readonly Part[] = [exercise, check, mutant, variant, claim, engine, fault];

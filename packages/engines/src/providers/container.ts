import type { RunContext } from "../context.ts";
import type { EngineDefinition, Found, Server } from "../definition.ts";
import type { StartOptions } from "./process.ts";

export async function offerContainer(_definition: EngineDefinition, _env: NodeJS.ProcessEnv): Promise<Found> {
  return { offered: false, reason: "not yet" };
}
export async function startContainer(_definition: EngineDefinition, _context: RunContext, _options: StartOptions): Promise<Server> {
  throw new Error("not yet");
}

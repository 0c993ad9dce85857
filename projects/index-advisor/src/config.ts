/** Checks what a node is given, and derives its time limits from it. */
import { z } from "zod";
import type { NodeConfig } from "../contract.ts";

const schema = z.object({
  name: z.string().min(1),
  target: z.url({ protocol: /^postgres(ql)?$/ }),
  scratch: z.url({ protocol: /^postgres(ql)?$/ }),
  requestBudgetMs: z.number().min(500).max(3_600_000),
});

export interface Settings extends NodeConfig {
  /** When a call gives up, in milliseconds: the rest is for its way back. */
  readonly callMs: number;
}

/** @throws ZodError for a configuration that makes no sense */
export function settingsOf(config: NodeConfig): Settings {
  const checked = schema.parse(config);
  return { ...checked, callMs: Math.round(checked.requestBudgetMs * 0.9) };
}

/** Checks what a node is given, and derives every time limit from it. */
import { z } from "zod";
import type { NodeConfig } from "../contract.ts";

const schema = z.object({
  name: z.string().min(1),
  legacy: z.url({ protocol: /^postgres(ql)?$/ }),
  modern: z.url({ protocol: /^postgres(ql)?$/ }),
  requestBudgetMs: z.number().min(100).max(60_000),
});

export interface Settings extends NodeConfig {
  /** When a client's call gives up, in milliseconds: the rest is for its way back. */
  readonly callMs: number;
  /**
   * The longest that one statement may take, or a connection. Whoever asks the store that used to lead in
   * vain still has to ask the other one.
   */
  readonly statementMs: number;
  /** How long a read waits for modern while legacy has its answer ready. */
  readonly canaryMs: number;
  /** How long the operator may keep writers waiting, for each of two things, in milliseconds. */
  readonly fenceMs: number;
  /** How long the operator's calls go on trying, in milliseconds. */
  readonly operatorMs: number;
}

/** @throws ZodError for a configuration that makes no sense */
export function settingsOf(config: NodeConfig): Settings {
  const checked = schema.parse(config);
  const { requestBudgetMs: budget } = checked;
  return {
    ...checked,
    callMs: Math.round(budget * 0.9),
    statementMs: Math.round(budget * 0.6),
    canaryMs: Math.round(budget / 4),
    fenceMs: Math.round(budget / 4),
    operatorMs: 2_000,
  };
}

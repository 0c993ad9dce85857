/**
 * Builds and drops on the target, without keeping anybody from writing. Each is a statement of its own outside of
 * any transaction, because concurrent builds want it so; nothing of a build that failed stays.
 */
import type { ApplyRequest, ApplyResult } from "../contract.ts";
import { build } from "./apply/build.ts";
import { drop } from "./apply/drop.ts";
import { BUDGET_MS, type CallOptions } from "./collect.ts";
import { asked, connect, Deadline } from "./database.ts";
import { AdvisorError, explained, isConnectionLoss, isRefusal, messageOf } from "./errors.ts";

/** Of the budget, what is left for putting right what failed, and for the way back. */
const REST = 0.3;

/**
 * A build that a broken connection leaves unfinished is removed as soon as the server lets anybody in again:
 * within this call where that is in its time, else by the next one.
 *
 * @throws AdvisorError `NO_PERMISSION`, `TARGET_UNAVAILABLE`
 */
export async function apply(
  target: string,
  request: ApplyRequest,
  { budgetMs = BUDGET_MS, signal }: CallOptions = {},
): Promise<ApplyResult> {
  const deadline = new Deadline(budgetMs);
  const soon = new Deadline(budgetMs * (1 - REST));
  const built: string[] = [];
  const dropped: string[] = [];
  const failed: { name: string; why: string }[] = [];
  const late = AbortSignal.timeout(budgetMs);
  const open = () =>
    connect("target", target, {
      deadline,
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
  await using session = await open();
  const attempt = async (name: string, what: string, run: () => Promise<void>, to: string[]) => {
    try {
      await run();
      to.push(name);
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      if (isRefusal(error) || isConnectionLoss(error)) throw explained("target", what, error);
      failed.push({ name, why: messageOf(error) });
    }
  };
  const context = { session, open, soon, deadline, ...request };
  await asked("target", "be changed", async () => {
    for (const index of request.create) {
      await attempt(index.name, `build ${index.name}`, () => build(context, index), built);
    }
    for (const { name } of request.drop) {
      await attempt(name, `drop ${name}`, () => drop(context, name), dropped);
    }
  });
  return { built, dropped, failed };
}

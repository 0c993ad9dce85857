/**
 * Builds and drops on the target, without keeping anybody from writing. Each is a statement of its own outside of
 * any transaction, because concurrent builds want it so; nothing of a build that failed stays.
 */
import type { ApplyRequest, ApplyResult } from "../contract.ts";
import { build } from "./apply/build.ts";
import { type Drop, drop } from "./apply/drop.ts";
import { Interruption } from "./apply/interruption.ts";
import { BUDGET_MS, type CallOptions } from "./collect.ts";
import { asked, connect, Deadline } from "./database.ts";
import { AdvisorError, explained, isConnectionLoss, isRefusal, messageOf } from "./errors.ts";

/** Of the budget, what is left for putting right what failed, and for the way back. */
const REST = 0.3;

/** What cleaning up after one build may take, in milliseconds, where nobody's transaction is in its way. */
const CLEAN_UP_MS = 30_000;

/** What a call takes at most if each build and each drop takes as long as it may, in milliseconds. */
export function longestOf({ create, drop, lockTimeoutMs, statementTimeoutMs }: ApplyRequest) {
  const each = lockTimeoutMs + statementTimeoutMs + CLEAN_UP_MS;
  return ((create.length + drop.length) * each) / (1 - REST);
}

export interface ApplyOptions extends CallOptions {
  /** Told what it is about, for people. */
  readonly onProgress?: (text: string) => void;
}

/**
 * A build that a broken connection leaves unfinished is removed as soon as the server lets anybody in again:
 * within this call where that is in its time, else by the next one. A signal ends what the server does, removes
 * what is left of it, which may take half a minute, and the result says what was done until then.
 *
 * @throws AdvisorError `NO_PERMISSION`, `TARGET_UNAVAILABLE`
 */
export async function apply(
  target: string,
  request: Omit<ApplyRequest, "drop"> & { readonly drop: readonly Drop[] },
  { budgetMs = BUDGET_MS, signal, onProgress = () => {} }: ApplyOptions = {},
): Promise<ApplyResult> {
  const deadline = new Deadline(budgetMs);
  const soon = new Deadline(deadline.leftMs() * (1 - REST));
  const built: string[] = [];
  const dropped: string[] = [];
  const failed: { name: string; why: string }[] = [];
  using interruption = new Interruption(signal, deadline);
  const cut = AbortSignal.any([deadline.signal(), interruption.cut]);
  const open = () => connect("target", target, { deadline: interruption.deadline, signal: cut });
  await using session = await open();
  const attempt = async (name: string, what: string, run: () => Promise<void>, to: string[]) => {
    try {
      onProgress(what);
      await run();
      to.push(name);
    } catch (error) {
      if (error instanceof AdvisorError) throw error;
      if (isRefusal(error) || isConnectionLoss(error)) throw explained("target", what, error);
      failed.push({ name, why: messageOf(error) });
    }
  };
  const context = { session, open, soon, interruption, ...request };
  await asked("target", "be changed", async () => {
    for (const index of request.create) {
      await attempt(index.name, `build ${index.name}`, () => build(context, index), built);
    }
    for (const each of request.drop) {
      await attempt(each.name, `drop ${each.name}`, () => drop(context, each), dropped);
    }
  });
  return { built, dropped, failed };
}

import { readdirSync, readFileSync } from "node:fs";
import { killTree, processRef } from "@db-katas/engines";

/** In the environment of an app node and, unless they take it out, of all that descend from it. */
export const MARK = "KATA_APP_NODE";

/** Ends processes that carry a mark, wherever they hang by now. Where there is no /proc, none is found. */
export async function killStrays(mark: string): Promise<void> {
  const wanted = `${MARK}=${mark}`;
  await Promise.all(
    processes().map(async (pid) => {
      const ref = environmentOf(pid).includes(wanted) ? processRef(pid) : undefined;
      if (ref) await killTree(ref);
    }),
  );
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

import { readFileSync } from "node:fs";
import { killTree, processRef, processTable } from "@db-katas/engines";

/** In the environment of an app node and, unless they take it out, of all that descend from it. */
export const MARK = "KATA_APP_NODE";

/** Ends processes that carry a mark, wherever they hang by now; of others nothing is known. */
export async function killStrays(mark: string): Promise<void> {
  const wanted = `${MARK}=${mark}`;
  const found = [...processTable().keys()].filter((pid) => environmentOf(pid).includes(wanted));
  await Promise.all(
    found.map(async (pid) => {
      const ref = processRef(pid);
      if (ref) await killTree(ref);
    }),
  );
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

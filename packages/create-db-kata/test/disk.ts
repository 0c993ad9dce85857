/** File systems of a test's own, in a mount namespace: nothing is mounted on the machine itself. */
import { execFileSync } from "node:child_process";
import { attempt, type Ran } from "./registry.ts";

const UNSHARE = ["unshare", "--mount", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];

/** Whether this machine lets us mount something for ourselves. */
export const canMount = (() => {
  try {
    const [program = "", ...args] = [...UNSHARE, "mount", "-t", "tmpfs", "disk", "/mnt"];
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/**
 * Runs a script of sh with a file system mounted at `$0`, and a command in `$@`.
 * @param kib its size
 */
export function onSmallDisk(
  folder: string,
  kib: number,
  script: string,
  command: readonly string[],
): Promise<Ran> {
  const mounted = `mount -t tmpfs -o size=${kib}k,mode=755 disk "$0" && cd "$0" && ${script}`;
  const [program = "", ...args] = [...UNSHARE, "sh", "-c", mounted, folder, ...command];
  return attempt("/", process.env, program, ...args);
}

/**
 * Linux namespaces by way of util-linux, for root, and for everybody else where user namespaces are
 * allowed: there one is root, and nobody anywhere else.
 */
import { execFile } from "node:child_process";
import type { ServerUser } from "../user.ts";

type Kind = "--mount" | "--net";

/** Some 15 ms are usual; a probe may take no more than this. */
const tryCapMs = 250;
const asRoot = process.getuid?.() === 0;

/** Arguments of unshare(1) for a new namespace of that kind. */
export function unsharing(kind: Kind): readonly string[] {
  return [kind, ...(asRoot ? [] : ["--user", "--map-root-user"])];
}

/** Arguments of nsenter(1) for the one that a process is in. */
export function entering(kind: Kind, pid: number): readonly string[] {
  const target = ["--target", String(pid), kind];
  return [...target, ...(asRoot ? [] : ["--user", "--preserve-credentials"])];
}

/** What to put before a command that root wants to be another user's. */
export function becoming({ uid, gid }: ServerUser): readonly string[] {
  if (uid === undefined) return [];
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
}

/** Before a command, so that it fails where what {@link becoming} and {@link entering} take is missing. */
export const trying = asRoot ? ["setpriv", "--clear-groups", "nsenter"] : ["nsenter"];

/**
 * Whether it ends well. A machine too busy to come to its end is given the benefit of the doubt:
 * where it does refuse, the lease says so.
 */
export function unshares(args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    execFile("unshare", args, { timeout: tryCapMs, env }, (error) =>
      resolve(error === null || error.killed === true),
    );
  });
}

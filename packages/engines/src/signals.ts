/** Who listens to the signals that end a process. */

export const endingSignals = ["SIGINT", "SIGTERM"] as const;

/** Listeners that don't decide whether the process goes on: those of runs, and of libraries. */
const followers = new WeakSet<object>();

export function follow(listener: object): void {
  followers.add(listener);
}

/** Whether somebody else listens too: then it is theirs to decide. */
export function isDecidedElsewhere(signal: NodeJS.Signals): boolean {
  return process.listeners(signal).some((listener) => !followers.has(listener));
}

/**
 * Loads a library whose listeners (of `signal-exit`, usually) end the process only when nobody else
 * listens. Each would otherwise wait for the other, and the signal be lost.
 */
export async function loadFollower<T>(load: () => Promise<T>): Promise<T> {
  const before = new Set(endingSignals.flatMap((name) => process.listeners(name)));
  const loaded = await load();
  for (const listener of endingSignals.flatMap((name) => process.listeners(name)))
    if (!before.has(listener)) follow(listener);
  return loaded;
}

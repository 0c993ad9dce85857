import type { EngineDefinition } from "../definition.ts";

const startSeconds = 30;

/**
 * Asks a starting server until it answers.
 * @param ended says why it never will
 * @param ending wakes us when it is worth asking that before the attempt under way is over
 * @param refused whether that is answer enough
 * @param seconds that it may take
 * @returns its version; undefined when it refused
 */
export async function answering(
  definition: Pick<EngineDefinition, "ready">,
  adminUrl: string,
  ended: () => Promise<string | undefined>,
  ending: Promise<unknown> = new Promise(() => {}),
  refused: (refusal: Error) => boolean = () => false,
  seconds: number = startSeconds,
): Promise<string | undefined> {
  const deadline = Date.now() + seconds * 1000;
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 1.5, 50)) {
    const attempt = await Promise.race([
      definition.ready(adminUrl).then(
        (version) => ({ version }),
        (error: Error) => ({ error }),
      ),
      ending.then(() => ({ error: new Error("it has ended") })),
    ]);
    // Whoever answers on the port of a server that has ended is somebody else.
    const over = await ended();
    if (over !== undefined) throw new Error(over);
    if ("version" in attempt) return attempt.version;
    if (refused(attempt.error)) return undefined;
    if (Date.now() > deadline)
      throw new Error(`no answer within ${seconds} s: ${attempt.error.message}`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

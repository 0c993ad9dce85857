import type { SavedBundle } from "@db-katas/engines";
import prettyBytes from "pretty-bytes";
import { CliError } from "../errors.ts";
import { startProgress } from "../output.ts";
import type { Session } from "../session.ts";

/**
 * @param quiet where stdout is for somebody else
 * @throws CliError `FILE_UNUSABLE`, EngineError
 */
export async function saveBundle(
  { engines: run }: Pick<Session, "engines">,
  engines: readonly string[],
  file: string,
  quiet: boolean,
): Promise<SavedBundle> {
  const progress = startProgress({ quiet });
  try {
    return await run.saveBundle(engines, file, (bytes) =>
      progress.update(`packed ${prettyBytes(bytes)}`),
    );
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new CliError("FILE_UNUSABLE", `${file} can't be written: ${message.split(",")[0]}.`, {
      remedy: "pnpm kata engines bundle <file in a folder that you may write>",
    });
  } finally {
    progress.stop();
  }
}

/** @param file as it was typed */
export function formatSaved(saved: SavedBundle, file: string): string {
  const kind = `${process.platform}-${process.arch}`;
  const own = saved.leftOut.map(
    ({ engine, name, source }) =>
      `  ${name}, for ${engine}: each machine needs its own (${source})`,
  );
  return [
    ...saved.packages.map(({ what, bytes }) => `  ${what}, ${prettyBytes(bytes)}`),
    `Saved to ${file}: ${prettyBytes(saved.bytes)}, for ${kind}, SHA-256 ${saved.sha256}`,
    "Not in it:",
    ...own,
    "  npm packages, PostgreSQL among them: pnpm install --offline takes a copy of this machine's",
    "  store, whose path `pnpm store path` says",
    "  images of containers, and what was prepared here: each machine makes that at first use",
    `Elsewhere: pnpm kata engines load ${file}`,
    `To a room: pnpm kata engines serve ${file} --host <address of this machine>`,
  ].join("\n");
}

import { EventEmitter, on } from "node:events";
import { relative } from "node:path";
import { watch } from "chokidar";

/** An editor may write several files for one save. */
const QUIET_MS = 60;

/** What is fetched, what tools and we keep for ourselves, and what `kata retro` writes. */
const NO_CODE = /[/\\](node_modules|\.kata|\.turbo|\.git|WHAT-I-GOT-WRONG\.md)([/\\]|$)/;

/** Yields the file that was saved last, once the folder has been quiet for a moment. */
export async function* watchSubmission(
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path) => NO_CODE.test(path),
  });
  const saves = new EventEmitter<{ saved: [file: string] }>();
  try {
    let timer: NodeJS.Timeout | undefined;
    watcher.on("all", (_, path) => {
      clearTimeout(timer);
      timer = setTimeout(() => saves.emit("saved", relative(folder, path)), QUIET_MS);
    });
    for await (const [file] of on(saves, "saved", { signal })) yield String(file);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await watcher.close();
  }
}

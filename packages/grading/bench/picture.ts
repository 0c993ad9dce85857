/** Draws the example of docs/history-checkers.md. Run: `pnpm picture` in this package. */
import { writeFile } from "node:fs/promises";
import { exampleTimeline } from "../test/history/example.ts";

await writeFile(new URL("../../../docs/pictures/history.svg", import.meta.url), exampleTimeline());

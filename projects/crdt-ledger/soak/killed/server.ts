/** One server of a submission, as a process that can be killed. Arguments: its `index.ts`, and its config as JSON. */
import { flushCompileCache } from "node:module";
import { pathToFileURL } from "node:url";
import type { DocumentId, Server, ServerConfig, Submission } from "../../contract.ts";

/** Its first word: where it takes connections. */
export interface Ready {
  readonly address: string;
}

export interface Asked {
  readonly id: number;
  readonly what: "compact" | "verifyLog";
  readonly document: DocumentId;
}

export interface Answered {
  readonly id: number;
  readonly result?: number | null;
  /** Why there is none. */
  readonly error?: string;
}

const [index = "", config = "{}"] = process.argv.slice(2);
// At a terminal Ctrl-C comes to all; whoever has started this one sees to its end.
process.on("SIGINT", () => {});
process.once("disconnect", () => process.exit());
// Whoever starts this one has loaded it before, and said so where there is none.
const { default: submission } = (await import(pathToFileURL(index).href)) as {
  readonly default: Submission;
};
const server = (await submission.createNode(JSON.parse(config) as ServerConfig)) as Server;
process.on("message", ({ id, what, document }: Asked) => {
  server[what](document).then(
    (result) => process.send?.({ id, result } satisfies Answered),
    (error) => process.send?.({ id, error: String(error?.code ?? error) } satisfies Answered),
  );
});
// Whoever is killed writes nothing at its end.
flushCompileCache();
process.send?.({ address: await server.address() } satisfies Ready);

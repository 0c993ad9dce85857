/** One contender's clients, and its server, which is in another process. Arguments: who it is, and the stage as JSON. */
import { once } from "node:events";
import { type ContenderName, contenders } from "./contenders.ts";
import { type Load, run, type Sample } from "./load.ts";

export interface Question {
  /** To be run. Without, the question is for the server's memory. */
  readonly load?: Load;
}

export type Answer =
  | { readonly value: Sample | number }
  /** Why there is none. */
  | { readonly error: string };

const [name = "", stage = "{}"] = process.argv.slice(2);
// Whoever has started this may be gone before all are connected.
const left = once(process, "disconnect");
{
  await using relay = await contenders[name as ContenderName](JSON.parse(stage));
  process.on("message", ({ load }: Question) => {
    const asked: Promise<Sample | number> = load ? run(relay, load) : relay.memory();
    asked.then(
      (value) => process.send?.({ value } satisfies Answer),
      (error) => process.send?.({ error: String(error) } satisfies Answer),
    );
  });
  if (process.connected) process.send?.("ready");
  await left;
}
process.exit();

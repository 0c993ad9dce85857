import { ours, rowsOnly } from "./ours.ts";
import type { Open } from "./relay.ts";
import { hocuspocus, yWebsocket } from "./yjs.ts";

export const OURS = "ours";
/** What it shows is how quick a server can be that stores first, whatever else it does: nobody would use it. */
export const LEAST = "rows-only";
/** By the names that tables and claims use. */
export const contenders = {
  [OURS]: ours,
  "y-websocket": yWebsocket,
  hocuspocus,
  [LEAST]: rowsOnly,
} as const satisfies Readonly<Record<string, Open>>;

export type ContenderName = keyof typeof contenders;
export const NAMES = Object.keys(contenders) as ContenderName[];

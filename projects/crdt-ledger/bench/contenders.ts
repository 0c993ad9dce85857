import { ours } from "./ours.ts";
import type { Open } from "./relay.ts";
import { hocuspocus, yWebsocket } from "./yjs.ts";

export const OURS = "ours";
/** By the names that tables and claims use. */
export const contenders = {
  [OURS]: ours,
  "y-websocket": yWebsocket,
  hocuspocus,
} as const satisfies Readonly<Record<string, Open>>;

export type ContenderName = keyof typeof contenders;
export const NAMES = Object.keys(contenders) as ContenderName[];

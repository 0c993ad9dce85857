/** The frames of y-websocket and of Hocuspocus, which differ in little. */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { messageYjsSyncStep1, messageYjsUpdate } from "y-protocols/sync";
import * as Y from "yjs";

export interface Dialect {
  /** Of the document that each message names, where a connection is for many; null where it is for one. */
  readonly addressed: string | null;
}

/** Kinds of messages; those of Hocuspocus are in its `types.ts`, and the first is y-websocket's as well. */
const SYNC = 0;
const AUTH = 2;
const SYNC_REPLY = 4;
/** What a message of {@link AUTH} is. */
const TOKEN = 0;

type Write = (encoder: encoding.Encoder) => void;

const number = (value: number) => (encoder: encoding.Encoder) =>
  encoding.writeVarUint(encoder, value);
const bytes = (value: Uint8Array) => (encoder: encoding.Encoder) =>
  encoding.writeVarUint8Array(encoder, value);
const text = (value: string) => (encoder: encoding.Encoder) =>
  encoding.writeVarString(encoder, value);

function frame({ addressed }: Dialect, ...parts: Write[]): Uint8Array {
  return encoding.encode((encoder) => {
    if (addressed !== null) text(addressed)(encoder);
    for (const part of parts) part(encoder);
  });
}

/** With nobody's token. */
export function authFrame(dialect: Dialect): Uint8Array {
  return frame(dialect, number(AUTH), number(TOKEN), text(""));
}

/** Asks for all that there is. */
export function askingFrame(dialect: Dialect): Uint8Array {
  const nothing = Y.encodeStateVector(new Y.Doc());
  return frame(dialect, number(SYNC), number(messageYjsSyncStep1), bytes(nothing));
}

export function updateFrame(dialect: Dialect, update: Uint8Array): Uint8Array {
  return frame(dialect, number(SYNC), number(messageYjsUpdate), bytes(update));
}

/** What of the document is in a message; null for messages of another kind. */
export function readFrame(
  { addressed }: Dialect,
  data: Uint8Array,
): { readonly step: number; readonly update: Uint8Array } | null {
  const decoder = decoding.createDecoder(data);
  if (addressed !== null) decoding.readVarString(decoder);
  const kind = decoding.readVarUint(decoder);
  if (kind !== SYNC && kind !== SYNC_REPLY) return null;
  const step = decoding.readVarUint(decoder);
  return { step, update: decoding.readVarUint8Array(decoder) };
}

/** Updates of Yjs, each in the frame that its server takes. */
import * as Y from "yjs";
import { type Made, makes } from "../maker.ts";
import { type Dialect, updateFrame } from "../yjs-frames.ts";

export interface Config extends Dialect {
  readonly clients: number;
}

await makes<Config, Uint8Array>((config) => {
  const docs = Array.from({ length: config.clients }, (_, client) => {
    const doc = new Y.Doc();
    // 0 is nobody's, or what is not there would look like it.
    doc.clientID = client + 1;
    return doc;
  });
  const made = docs.map(() => 0);
  /** A shape at first, then it is dragged along. */
  return (client): Made<Uint8Array> => {
    const doc = docs[client];
    if (!doc) throw new Error(`There is no client ${client}.`);
    const number = (made[client] ?? 0) + 1;
    made[client] = number;
    const updates: Uint8Array[] = [];
    doc.once("update", (update: Uint8Array) => updates.push(update));
    doc.transact(() => {
      const shapes = doc.getMap<Y.Map<unknown>>("shapes");
      const shape = `shape-${client}`;
      const properties = shapes.get(shape) ?? new Y.Map<unknown>();
      if (number === 1) {
        shapes.set(shape, properties);
        for (const [name, value] of [
          ["type", "rectangle"],
          ["width", 40],
          ["height", 30],
          ["color", "#336699"],
        ] as const) {
          properties.set(name, value);
        }
      }
      properties.set("x", number % 1_000);
      properties.set("y", number % 777);
    });
    const [update] = updates;
    if (!update) throw new Error("Nothing has changed.");
    return {
      number: Y.getState(doc.store, doc.clientID),
      written: updateFrame(config, update),
    };
  };
});

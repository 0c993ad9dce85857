/** The same text, written with each of three libraries, a change for each keystroke. */
import * as automerge from "@automerge/automerge";
import { LoroDoc } from "loro-crdt";
import * as Y from "yjs";
import type { Keystroke } from "./typing.ts";

export interface Written {
  /** The document with all of its history, as the library keeps it. */
  readonly saved: Uint8Array;
  /** Of the last change, as it would be sent to others, in bytes. */
  readonly changeBytes: number;
}

export interface Library {
  write(keystrokes: readonly Keystroke[]): Written;
  /** @returns the text */
  load(saved: Uint8Array): string;
}

const NAME = "text";

const loro: Library = {
  write(keystrokes) {
    const doc = new LoroDoc();
    const text = doc.getText(NAME);
    let from = doc.oplogVersion();
    for (const { at, removes, inserts } of keystrokes) {
      from = doc.oplogVersion();
      if (removes > 0) text.delete(at, removes);
      if (inserts) text.insert(at, inserts);
      doc.commit();
    }
    const { length: changeBytes } = doc.export({ mode: "update", from });
    return { saved: doc.export({ mode: "snapshot" }), changeBytes };
  },
  load(saved) {
    const doc = new LoroDoc();
    doc.import(saved);
    return doc.getText(NAME).toString();
  },
};

const yjs: Library = {
  write(keystrokes) {
    const doc = new Y.Doc();
    const text = doc.getText(NAME);
    let changeBytes = 0;
    doc.on("update", (update: Uint8Array) => {
      changeBytes = update.length;
    });
    for (const { at, removes, inserts } of keystrokes) {
      doc.transact(() => {
        if (removes > 0) text.delete(at, removes);
        if (inserts) text.insert(at, inserts);
      });
    }
    return { saved: Y.encodeStateAsUpdate(doc), changeBytes };
  },
  load(saved) {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, saved);
    return doc.getText(NAME).toString();
  },
};

interface Note extends Record<string, unknown> {
  [NAME]: string;
}

const ofAutomerge: Library = {
  write(keystrokes) {
    let doc = automerge.from<Note>({ [NAME]: "" });
    for (const { at, removes, inserts } of keystrokes) {
      doc = automerge.change(doc, (draft) => automerge.splice(draft, [NAME], at, removes, inserts));
    }
    const changeBytes = automerge.getLastLocalChange(doc)?.length ?? 0;
    return { saved: automerge.save(doc), changeBytes };
  },
  load(saved) {
    return automerge.load<Note>(saved)[NAME];
  },
};

/** By the names that claims use. */
export const libraries: Readonly<Record<string, Library>> = {
  loro,
  yjs,
  automerge: ofAutomerge,
};

import {
  type Direction,
  type Mark,
  oneLine,
  type Say,
  type Wire,
  type WireReader,
} from "../../wire.ts";
import { Fields, type Frame, Frames } from "./frames.ts";

const statementLimit = 2_000;
const valueLimit = 60;
/** Prepared statements that are remembered per connection; the oldest is forgotten first. */
const remembered = 1_000;
/** The first 4 bytes of a client's first message, where they ask for something else than a session. */
const encryptionRequests = [80877103, 80877104];
const cancelRequest = 80877102;
/** What a server may send at any time, whatever was asked. */
const unasked = "NSKR";
/** The reply that completes each message of the extended protocol. */
const completes: Readonly<Record<string, string>> = {
  "1": "P",
  "2": "B",
  "3": "C",
  T: "D",
  n: "D",
  C: "E",
  I: "E",
  s: "E",
};

/** A message from the client that the server has not answered in full. */
interface Asked {
  /** Its type, or "" for the start of the session. */
  readonly type: string;
  text: string;
  /** Set until the first message of the reply that a gate may hold has come. */
  mark: boolean;
}

/** The frontend/backend protocol, version 3 (PostgreSQL manual, "Message Flow"). */
export const wire: Wire = (say) => new PostgresReader(say);

class PostgresReader implements WireReader {
  readonly #say: Say;
  readonly #requests = new Frames(false, (frame) => this.#request(frame));
  readonly #replies = new Frames(true, (frame) => this.#reply(frame));
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  #asked: Asked[] = [];
  #marks: Mark[] = [];
  /** A statement that was parsed, and of which the next message tells whether it is executed. */
  #parsed: { readonly at: number; readonly name: string; readonly asked: Asked } | undefined;
  /** After an error, the server skips what comes until the client synchronises. */
  #skipping = false;
  #encryption = 0;

  constructor(say: Say) {
    this.#say = say;
  }

  get undecided(): number {
    return this.#parsed?.at ?? Number.POSITIVE_INFINITY;
  }

  read(direction: Direction, bytes: Buffer): readonly Mark[] {
    this.#marks = [];
    if (direction === "request") this.#requests.read(bytes);
    else this.#replies.read(this.#encryption > 0 ? this.#refusedEncryption(bytes) : bytes);
    return this.#marks;
  }

  #refusedEncryption(bytes: Buffer): Buffer {
    for (; this.#encryption > 0 && bytes.length > 0; this.#encryption -= 1) {
      if (bytes[0] !== "N".charCodeAt(0))
        throw new Error("the connection is encrypted from here on");
      this.#replies.skip(1);
      bytes = bytes.subarray(1);
    }
    return bytes;
  }

  #request({ start, type, body }: Frame): void {
    const fields = new Fields(body);
    const parsed = this.#parsed;
    // Describe may stand between a Parse and its Bind; anything else ends the doubt.
    if (type !== "D") this.#parsed = undefined;
    switch (type) {
      case "":
        this.#start(fields);
        return;
      case "Q": {
        const text = statement(fields.text());
        this.#marks.push({ at: start, text });
        this.#say("request", text);
        this.#ask(type, text, true);
        return;
      }
      case "P": {
        const name = fields.text();
        const text = statement(fields.text());
        remember(this.#statements, name, text);
        this.#parsed = { at: start, name, asked: this.#ask(type, text, false) };
        return;
      }
      case "B": {
        const portal = fields.text();
        const name = fields.text();
        const text = (this.#statements.get(name) ?? "") + parameters(fields);
        remember(this.#portals, portal, text);
        this.#say("request", text);
        // Executing begins with what is parsed for it: from there on it has a snapshot and locks.
        const whole = parsed?.name === name ? parsed : undefined;
        this.#marks.push({ at: whole?.at ?? start, text });
        if (whole) Object.assign(whole.asked, { text, mark: true });
        this.#ask(type, text, !whole);
        return;
      }
      case "E":
        this.#ask(type, this.#portals.get(fields.text()) ?? "", false);
        return;
      case "D":
      case "C":
        this.#ask(type, "", false);
        return;
      case "S":
        this.#skipping = false;
        this.#ask(type, "", false);
        return;
      case "F":
        this.#say("request", "(function call)");
        this.#ask(type, "(function call)", false);
        return;
      case "p":
        this.#say("request", "(password)");
        return;
      case "X":
        this.#say("request", "(terminate)");
        return;
    }
  }

  #start(fields: Fields): void {
    const code = fields.int32();
    if (encryptionRequests.includes(code)) {
      this.#encryption += 1;
      return;
    }
    this.#requests.typed = true;
    if (code === cancelRequest) {
      this.#say("request", "(cancel)");
      return;
    }
    const settings: Record<string, string> = {};
    while (!fields.over) settings[fields.text()] = fields.text();
    this.#say("request", `(connect) ${settings.user ?? ""} ${settings.database ?? ""}`.trim());
    this.#ask("", "(connect)", false);
  }

  #ask(type: string, text: string, mark: boolean): Asked {
    const asked = { type, text, mark };
    if (!this.#skipping) this.#asked.push(asked);
    return asked;
  }

  #reply({ start, type, body }: Frame): void {
    if (type === "A") {
      const fields = new Fields(body);
      fields.int32();
      const text = oneLine(`NOTIFY ${fields.text()} ${fields.text()}`, statementLimit);
      this.#marks.push({ at: start, text });
      this.#say("reply", text);
      return;
    }
    if (unasked.includes(type)) return;
    const asked = this.#asked[0];
    if (asked?.mark) {
      asked.mark = false;
      this.#marks.push({ at: start, text: asked.text });
    }
    if (type === "C") this.#say("reply", new Fields(body).text(), asked?.text);
    if (type === "E") this.#failed(body, asked);
    else if (type === "Z") {
      const synchronised = this.#asked.findIndex((each) => ["Q", "F", "S", ""].includes(each.type));
      this.#asked.splice(0, synchronised + 1);
    } else if (asked && completes[type] === asked.type) this.#asked.shift();
  }

  #failed(body: Buffer, asked: Asked | undefined): void {
    const told: Record<string, string> = {};
    const fields = new Fields(body);
    for (let field = fields.text(); field !== ""; field = fields.text())
      told[field.charAt(0)] = field.slice(1);
    const text = `${told.S ?? "ERROR"} ${told.C ?? ""}: ${told.M ?? ""}`;
    this.#say("reply", oneLine(text, statementLimit), asked?.text);
    if (!asked || ["Q", "F", ""].includes(asked.type)) return;
    const sync = this.#asked.findIndex((each) => each.type === "S");
    this.#skipping = sync < 0;
    this.#asked.splice(0, sync < 0 ? this.#asked.length : sync);
  }
}

/** On one line, without the semicolon and without passwords. */
function statement(text: string): string {
  return oneLine(text, statementLimit)
    .replace(/[\s;]+$/, "")
    .replaceAll(/\bPASSWORD\s+'(?:[^']|'')*'?/gi, "PASSWORD ***");
}

/** ` [42, alice, (16 bytes)]`; empty where there are none. */
function parameters(fields: Fields): string {
  const formats = Array.from({ length: Math.max(0, fields.int16()) }, () => fields.int16());
  const count = fields.int16();
  const shown: string[] = [];
  for (let index = 0; index < count && !fields.over; index += 1) {
    const length = fields.int32();
    if (length < 0) shown.push("NULL");
    else {
      const bytes = fields.bytes(length);
      const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1;
      shown.push(
        binary
          ? `(${length} bytes)`
          : oneLine(bytes.toString("utf8", 0, valueLimit * 4), valueLimit),
      );
    }
  }
  if (shown.length < count) shown.push("…");
  return count > 0 ? ` [${shown.join(", ")}]` : "";
}

function remember(known: Map<string, string>, name: string, text: string): void {
  known.delete(name);
  known.set(name, text);
  if (known.size > remembered) known.delete(known.keys().next().value as string);
}

import { type Mark, oneLine, type Say, type Wire, type WireReader } from "../../wire.ts";
import { type Frame, Frames } from "./frames.ts";

const textLimit = 400;

/** Their replies come as if unasked: one per channel, or as pushes. */
const subscribing = /^[PS]?(UN)?SUBSCRIBE$/;
const published = /^[ps]?(message|(un)?subscribe)$/;

/** RESP 2 and 3, pipelines included. A connection that turns into a replica's is not followed. */
export const wire: Wire = (say) => new RedisReader(say);

class RedisReader implements WireReader {
  /** A command is all in one message. */
  readonly undecided = Number.POSITIVE_INFINITY;
  readonly #say: Say;
  readonly #frames = {
    request: new Frames((frame) => this.#request(frame)),
    reply: new Frames((frame) => this.#reply(frame)),
  };
  /** Commands that wait for their reply, the oldest first. */
  #asked: string[] = [];
  #answered = 0;
  #marks: Mark[] = [];
  #subscribed = false;
  /** How many commands from here on get no reply: `CLIENT REPLY`. */
  #unanswered = 0;

  constructor(say: Say) {
    this.#say = say;
  }

  read(direction: "request" | "reply", bytes: Buffer): readonly Mark[] {
    this.#marks = [];
    this.#frames[direction].read(bytes);
    return this.#marks;
  }

  /** Taking from the front of an array that a pipeline has made long costs more than all the rest. */
  #next(): string | undefined {
    if (this.#answered === this.#asked.length) return undefined;
    const text = this.#asked[this.#answered];
    this.#answered += 1;
    if (this.#answered === this.#asked.length || this.#answered > 1_000) {
      this.#asked = this.#asked.slice(this.#answered);
      this.#answered = 0;
    }
    return text;
  }

  #request({ start, kind, values: told }: Frame): void {
    // What a person types into a plain connection is one line.
    const values = kind === "*" ? told : (told[0]?.split(" ") ?? []);
    const [name = "", first = "", second = ""] = values;
    const command = name.toUpperCase();
    const text = oneLine(redacted(command, values).join(" "), textLimit);
    this.#marks.push({ at: start, text });
    this.#say("request", text);
    if (command === "CLIENT" && first.toUpperCase() === "REPLY") {
      this.#unanswered = { OFF: Number.POSITIVE_INFINITY, SKIP: 2 }[second.toUpperCase()] ?? 0;
    }
    if (subscribing.test(command)) this.#subscribed = true;
    else if (this.#unanswered > 0) this.#unanswered -= 1;
    else this.#asked.push(text);
  }

  #reply({ start, kind, values }: Frame): void {
    const text = oneLine(kind === "*" ? `[${values.join(", ")}]` : values.join(" "), textLimit);
    const unasked = kind === ">" || (this.#subscribed && published.test(values[0] ?? ""));
    const answers = unasked ? undefined : this.#next();
    this.#marks.push({ at: start, text: answers ?? text });
    this.#say("reply", text, answers);
  }
}

/** Without passwords, whoever writes them where. */
function redacted(command: string, [, ...args]: readonly string[]): string[] {
  if (command === "AUTH") return [command, "***"];
  const sub = args[0]?.toUpperCase();
  const secret = (index: number): boolean => {
    const before = args.slice(0, index).map((arg) => arg.toUpperCase());
    if (command === "HELLO") return before.at(-2) === "AUTH";
    if (command === "MIGRATE") return before.at(-1) === "AUTH" || before.at(-2) === "AUTH2";
    if (command === "ACL" && sub === "SETUSER") return /^[><#!]/.test(args[index] ?? "");
    return (
      command === "CONFIG" &&
      sub === "SET" &&
      /^(REQUIREPASS|MASTERAUTH)$/.test(before.at(-1) ?? "")
    );
  };
  const told = /^(HELLO|MIGRATE|ACL|CONFIG)$/.test(command)
    ? args.map((arg, index) => (secret(index) ? "***" : arg))
    : args;
  return [command, ...told];
}

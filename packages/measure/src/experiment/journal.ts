import { appendFile, mkdir, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { journalCorrupt } from "../errors.ts";
import { environmentSchema } from "./environment.ts";

/** A metric as it is kept: a number, or latencies as `Latencies.encode` gives them. */
const measured = z.union([z.number(), z.object({ histogram: z.string() })]);

const sessionSchema = z.object({
  kind: z.literal("session"),
  version: z.literal(1),
  id: z.string(),
  experiment: z.string(),
  /** Turns of sessions with the same one can be put together. */
  fingerprint: z.string(),
  parameters: z.record(z.string(), z.number()),
  seed: z.number(),
  startedAt: z.iso.datetime(),
  environment: environmentSchema,
});

const turnSchema = z.object({
  kind: z.literal("turn"),
  session: z.string(),
  number: z.number(),
  /** Of the contenders, as they were measured. */
  order: z.array(z.string()),
  endedAt: z.iso.datetime(),
  /** Of the machine, at its end. */
  load: z.number(),
  contenders: z.record(z.string(), z.record(z.string(), measured)),
});

const lineSchema = z.discriminatedUnion("kind", [sessionSchema, turnSchema]);

/** One time that somebody ran an experiment. */
export type SessionRecord = Readonly<z.infer<typeof sessionSchema>>;
/** What was measured of all contenders in one turn. */
export type TurnRecord = Readonly<z.infer<typeof turnSchema>>;

/**
 * Raw results, a line of JSON each, which are only ever added to. A turn is one line: what was written
 * when something died is there as a whole or, with what is torn off at the next opening, not at all.
 */
export class Journal {
  readonly file: string;
  readonly #lines: (SessionRecord | TurnRecord)[];

  private constructor(file: string, lines: (SessionRecord | TurnRecord)[]) {
    this.file = file;
    this.#lines = lines;
  }

  /** @throws MeasureError `JOURNAL_CORRUPT` for anything but a torn last line */
  static async open(file: string): Promise<Journal> {
    await mkdir(dirname(file), { recursive: true });
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== text) await truncate(file, Buffer.byteLength(whole));
    const lines = whole
      .split("\n")
      .slice(0, -1)
      .map((line, index) => {
        try {
          return lineSchema.parse(JSON.parse(line));
        } catch (cause) {
          throw journalCorrupt(file, index + 1, cause);
        }
      });
    return new Journal(file, lines);
  }

  async append(line: SessionRecord | TurnRecord): Promise<void> {
    await appendFile(this.file, `${JSON.stringify(line)}\n`);
    this.#lines.push(line);
  }

  /** In the order in which they were run. */
  get sessions(): readonly SessionRecord[] {
    return this.#lines.filter((line) => line.kind === "session");
  }

  /** Of all sessions with that fingerprint, by their numbers. */
  turns(fingerprint: string): readonly TurnRecord[] {
    const ids = new Set(
      this.sessions.filter((each) => each.fingerprint === fingerprint).map(({ id }) => id),
    );
    return this.#lines
      .filter((line) => line.kind === "turn")
      .filter(({ session }) => ids.has(session))
      .sort((one, other) => one.number - other.number);
  }
}

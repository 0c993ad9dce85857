/** Many who put elements into a sequence and take some out, each seeing what has come so far. */
import { type Random, randomFrom } from "@db-katas/grading";
import { expect, test } from "vitest";
import { type Gap, type Range, Sequence } from "../../variants/own-types/sequence.ts";
import type { Sees } from "../../variants/own-types/unsound.ts";

interface Done {
  readonly actor: string;
  readonly seq: number;
  readonly seen: Readonly<Record<string, number>>;
  readonly what:
    | { readonly gap: Gap; readonly text: string }
    | { readonly ranges: readonly Range[] };
}

class Site {
  readonly actor: string;
  readonly sequence = new Sequence();
  version: Record<string, number> = {};
  waiting: Done[] = [];

  constructor(actor: string) {
    this.actor = actor;
  }

  does(random: Random): Done {
    const seq = (this.version[this.actor] ?? 0) + 1;
    const { length } = this.sequence.toString();
    const at = random.int(0, length);
    const what =
      length > 3 && random.int(1, 3) === 1
        ? { ranges: this.sequence.between(at, at + random.int(0, 4)) }
        : { gap: this.sequence.gapAt(at), text: random.word(random.int(1, 4)) };
    const done = { actor: this.actor, seq, seen: { ...this.version, [this.actor]: seq }, what };
    this.#apply(done);
    return done;
  }

  takes(): void {
    const isReady = ({ actor, seq, seen }: Done) =>
      seq === (this.version[actor] ?? 0) + 1 &&
      Object.entries(seen).every(
        ([who, upTo]) => who === actor || upTo <= (this.version[who] ?? 0),
      );
    for (let next = this.waiting.find(isReady); next; next = this.waiting.find(isReady)) {
      this.#apply(next);
      this.waiting = this.waiting.filter((one) => one !== next);
    }
  }

  #apply({ actor, seq, seen, what }: Done): void {
    const sees: Sees = (who, which) => which <= (seen[who] ?? 0);
    if ("text" in what) this.sequence.insert([actor, seq, 0], what.text, what.gap, sees);
    else for (const range of what.ranges) this.sequence.remove(range, sees);
    this.version[actor] = seq;
  }
}

test("whatever the order, it is the same sequence", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed);
    const sites = ["ada", "bob", "cleo", "dan"].map((actor) => new Site(actor));
    for (let i = 0; i < 80; i++) {
      const site = random.pick(sites);
      const done = site.does(random);
      for (const other of sites) if (other !== site) other.waiting.push(done);
      const receiver = random.pick(sites);
      receiver.waiting = random.shuffle(receiver.waiting);
      if (random.int(1, 2) === 1) receiver.takes();
    }
    for (const site of sites) {
      site.waiting = random.shuffle(site.waiting);
      site.takes();
    }
    const texts = sites.map(({ sequence }) => sequence.toString());
    expect({ seed, texts }).toEqual({ seed, texts: texts.map(() => texts[0]) });
  }
});

test("runs that two make at one place stay whole, forwards and backwards", () => {
  for (const direction of [1, 0]) {
    const [ada, bob] = [new Sequence(), new Sequence()];
    const all: Sees = () => true;
    const made: { id: [string, number, number]; gap: Gap }[] = [];
    for (const [name, sequence] of [
      ["ada", ada],
      ["bob", bob],
    ] as const) {
      for (let i = 0; i < 5; i++) {
        const id: [string, number, number] = [name, i + 1, 0];
        const gap = sequence.gapAt(direction * i);
        sequence.insert(id, name.charAt(0), gap, all);
        made.push({ id, gap });
      }
    }
    for (const [i, { id, gap }] of made.entries()) {
      const other = i < 5 ? bob : ada;
      other.insert(id, id[0].charAt(0), gap, (who) => who === id[0]);
    }
    expect(ada.toString()).toBe(bob.toString());
    expect(["aaaaabbbbb", "bbbbbaaaaa"]).toContain(ada.toString());
  }
});

test("who names two that were never beside one another is refused", () => {
  const sequence = new Sequence();
  const all: Sees = () => true;
  sequence.insert(["ada", 1, 0], "abc", { left: null, right: null }, all);
  const a = ["ada", 1, 0] as const;
  const c = ["ada", 1, 2] as const;
  for (const gap of [
    { left: a, right: c },
    { left: c, right: a },
    { left: null, right: null },
  ]) {
    expect(() => sequence.insert(["eve", 1, 0], "x", gap, all)).toThrow("never beside");
  }
  const unseen = () => sequence.insert(["eve", 1, 0], "x", { left: c, right: null }, () => false);
  expect(unseen).toThrow("not there yet");
  expect(sequence.toString()).toBe("abc");
});

/**
 * Elements in an order that all agree on: code units of a text, or heights on a board. Each says which two it
 * was put between where it was made. What others have put there meanwhile is passed as Yjs does it (Nicolaescu
 * and others, "Near Real-Time Peer-to-Peer Shared Editing on Extensible Data Types", 2016), in the form that
 * also keeps runs together that were made backwards (FugueMax in Weidner and Kleppmann, "The Art of the Fugue",
 * 2023). What is removed keeps its place, for those who put something beside it.
 */
import type { Actor } from "../../contract.ts";
import { isHigh, isLow } from "./surrogates.ts";
import { type Sees, Unsound } from "./unsound.ts";

/** Which change it comes from, and the how manieth of its elements it is. */
export type ElementId = readonly [actor: Actor, seq: number, nth: number];
/** The first of them; the others follow it. */
export type Range = readonly [actor: Actor, seq: number, nth: number, length: number];

export interface Gap {
  readonly left: ElementId | null;
  readonly right: ElementId | null;
}

/** Elements of one change, put in at once; split where something comes between them or removes some. */
interface Block extends Gap {
  readonly actor: Actor;
  readonly seq: number;
  readonly nth: number;
  text: string;
  removed: boolean;
}

export class Sequence {
  readonly #blocks: Block[] = [];
  /** Of each change, in the order of their numbers. */
  readonly #of = new Map<string, Block[]>();

  /** @throws Unsound where whoever made it can't have seen these two beside one another */
  insert([actor, seq, nth]: ElementId, text: string, gap: Gap, sees: Sees): void {
    if (text === "") return;
    const from = gap.left === null ? 0 : this.#endAt(gap.left, sees) + 1;
    const to = gap.right === null ? this.#blocks.length : this.#startAt(gap.right, sees);
    if (from > to || this.#blocks.slice(from, to).some((other) => sees(other.actor, other.seq))) {
      throw new Unsound("these two were never beside one another");
    }
    const block: Block = { actor, seq, nth, text, removed: false, ...gap };
    this.#blocks.splice(this.#placeOf(block, from, to), 0, block);
    const own = this.#of.get(`${actor}:${seq}`);
    if (own) own.push(block);
    else this.#of.set(`${actor}:${seq}`, [block]);
  }

  /** @throws Unsound where it isn't there for whoever removes it */
  remove([actor, seq, nth, length]: Range, sees: Sees): void {
    for (let at = nth; at < nth + length; ) {
      const first = this.#startAt([actor, seq, at], sees);
      const left = nth + length - at;
      const block = this.#blocks[first] as Block;
      if (block.text.length > left) this.#split(first, left);
      block.removed = true;
      at += block.text.length;
    }
  }

  toString(): string {
    return this.#blocks.map(({ removed, text }) => (removed ? "" : text)).join("");
  }

  /** Where to put what is to be at a position. */
  gapAt(position: number): Gap {
    let left = position;
    for (const [i, block] of this.#blocks.entries()) {
      if (left === 0) break;
      if (block.removed) continue;
      if (left > block.text.length) {
        left -= block.text.length;
        continue;
      }
      const before = elementOf(block, left - 1);
      const within = left < block.text.length;
      return { left: before, right: within ? elementOf(block, left) : this.#firstOf(i + 1) };
    }
    return { left: null, right: this.#firstOf(0) };
  }

  gapAfter(id: ElementId): Gap {
    const [at, offset] = this.#find(id);
    const block = this.#blocks[at] as Block;
    const within = offset + 1 < block.text.length;
    return { left: id, right: within ? elementOf(block, offset + 1) : this.#firstOf(at + 1) };
  }

  gapBefore(id: ElementId): Gap {
    const [at, offset] = this.#find(id);
    const block = this.#blocks[at] as Block;
    return { left: offset > 0 ? elementOf(block, offset - 1) : this.#lastOf(at - 1), right: id };
  }

  gapAtEnd(): Gap {
    return { left: this.#lastOf(this.#blocks.length - 1), right: null };
  }

  /** What is there to be seen between two positions. */
  between(from: number, to: number): Range[] {
    const ranges: Range[] = [];
    let at = 0;
    for (const { actor, seq, nth, text, removed } of this.#blocks) {
      if (removed) continue;
      const start = Math.max(from - at, 0);
      const end = Math.min(to - at, text.length);
      if (start < end) ranges.push([actor, seq, nth + start, end - start]);
      at += text.length;
    }
    return ranges;
  }

  /** All of it, from left to right. */
  *elements(): Generator<ElementId> {
    for (const block of this.#blocks) {
      for (let i = 0; i < block.text.length; i++) yield elementOf(block, i);
    }
  }

  /** Whether it is there, and no half of a pair. */
  has(id: ElementId): boolean {
    return this.#of.get(`${id[0]}:${id[1]}`)?.some((block) => holds(block, id[2])) ?? false;
  }

  #placeOf(block: Block, from: number, to: number): number {
    let place = from;
    let passing = false;
    for (let at = from; ; at++) {
      if (!passing) place = at;
      if (at === to) return place;
      const other = this.#blocks[at] as Block;
      const left = other.left === null ? -1 : this.#find(other.left)[0];
      if (left < from - 1) return place;
      if (left > from - 1) continue;
      const right = other.right === null ? this.#blocks.length : this.#find(other.right)[0];
      if (right === to && isBefore(block, other)) return place;
      passing = right < to;
    }
  }

  /** The block that ends with this element. */
  #endAt(id: ElementId, sees: Sees): number {
    const [at, offset] = this.#seen(id, sees);
    const block = this.#blocks[at] as Block;
    if (offset + 1 < block.text.length) this.#split(at, offset + 1);
    return at;
  }

  /** The block that begins with it. */
  #startAt(id: ElementId, sees: Sees): number {
    const [at, offset] = this.#seen(id, sees);
    if (offset === 0) return at;
    this.#split(at, offset);
    return at + 1;
  }

  #split(at: number, offset: number): void {
    const block = this.#blocks[at] as Block;
    const { actor, seq, nth, text, removed, right } = block;
    if (isHigh(text.charCodeAt(offset - 1)) && isLow(text.charCodeAt(offset))) {
      throw new Unsound("it parts a surrogate pair");
    }
    const left = elementOf(block, offset - 1);
    const rest = { actor, seq, nth: nth + offset, text: text.slice(offset), removed, left, right };
    block.text = text.slice(0, offset);
    this.#blocks.splice(at + 1, 0, rest);
    const own = this.#of.get(`${actor}:${seq}`) as Block[];
    own.splice(own.indexOf(block) + 1, 0, rest);
  }

  #seen(id: ElementId, sees: Sees): [at: number, offset: number] {
    if (!sees(id[0], id[1])) throw new Unsound(`${id.join(":")} was not there yet`);
    return this.#find(id);
  }

  #find([actor, seq, nth]: ElementId): [at: number, offset: number] {
    const block = this.#of.get(`${actor}:${seq}`)?.find((one) => holds(one, nth));
    if (!block) throw new Unsound(`there is no ${actor}:${seq}:${nth}`);
    return [this.#blocks.indexOf(block), nth - block.nth];
  }

  #firstOf(at: number): ElementId | null {
    const block = this.#blocks[at];
    return block ? elementOf(block, 0) : null;
  }

  #lastOf(at: number): ElementId | null {
    const block = this.#blocks[at];
    return block ? elementOf(block, block.text.length - 1) : null;
  }
}

const elementOf = ({ actor, seq, nth }: Block, offset: number): ElementId => [
  actor,
  seq,
  nth + offset,
];

const holds = ({ nth: first, text }: Block, nth: number) =>
  nth >= first && nth < first + text.length;

/** Of two at the same place: it only has to be the same everywhere. */
function isBefore(a: Block, b: Block): boolean {
  if (a.actor !== b.actor) return a.actor < b.actor;
  return a.seq - b.seq < 0 || (a.seq === b.seq && a.nth < b.nth);
}

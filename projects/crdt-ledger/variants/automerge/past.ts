/** The changes that are here, each after those that it had seen. */
import type { Actor, Change, Version } from "../../contract.ts";
import { type Decoded, type Genesis, type Origin, tagOf } from "./codec.ts";
import { LedgerError, Unsound } from "./errors.ts";

export interface Known {
  readonly change: Change;
  readonly hash: string;
  /** Of each actor, up to which `seq`; itself with it. */
  readonly seen: ReadonlyMap<Actor, number>;
  /** The number of its last operation, or of the last one that it had seen. */
  readonly maxOp: number;
  /** It came within a whole document. */
  readonly loaded: boolean;
}

export class Past {
  readonly #all: Known[] = [];
  readonly #byTag = new Map<string, Known>();
  readonly #byHash = new Map<string, Pick<Known, "seen" | "maxOp">>();
  readonly #version = new Map<Actor, number>();

  constructor({ hash, maxOp }: Genesis) {
    this.#byHash.set(hash, { seen: new Map(), maxOp });
  }

  get length(): number {
    return this.#all.length;
  }

  version(): Version {
    return Object.fromEntries(this.#version);
  }

  at(origin: Origin): Known | undefined {
    return this.#byTag.get(tagOf(origin));
  }

  after(length: number): readonly Known[] {
    return this.#all.slice(length);
  }

  isReady({ deps }: Decoded): boolean {
    return deps.every((hash) => this.#byHash.has(hash));
  }

  /** @throws Unsound where it doesn't follow on what it says that it had seen */
  knownAs({ change, hash, deps, startOp, size }: Decoded, loaded: boolean): Known {
    const { actor, seq } = change;
    const seen = new Map<Actor, number>();
    let before = 0;
    for (const dep of deps) {
      const known = this.#byHash.get(dep);
      before = Math.max(before, known?.maxOp ?? 0);
      for (const [who, upTo] of known?.seen ?? []) {
        seen.set(who, Math.max(upTo, seen.get(who) ?? 0));
      }
    }
    const isNext = deps.length > 0 && seq === (seen.get(actor) ?? 0) + 1;
    if (!isNext || startOp !== before + 1) throw new Unsound("it follows on nothing");
    seen.set(actor, seq);
    return { change, hash, seen, maxOp: before + size, loaded };
  }

  add(known: Known): void {
    const { change, hash } = known;
    this.#all.push(known);
    this.#byTag.set(tagOf(change), known);
    this.#byHash.set(hash, known);
    this.#version.set(change.actor, change.seq);
  }

  /** Forgets those after the first ones. */
  truncate(length: number): void {
    for (const { change, hash } of this.#all.splice(length).reverse()) {
      this.#byTag.delete(tagOf(change));
      this.#byHash.delete(hash);
      if (change.seq > 1) this.#version.set(change.actor, change.seq - 1);
      else this.#version.delete(change.actor);
    }
  }

  /** @throws LedgerError `INVALID_CHANGE` where some came within a whole document */
  since(version: Version): Change[] {
    const wanted = this.#all.filter(({ change }) => change.seq > (version[change.actor] ?? 0));
    if (wanted.some(({ loaded }) => loaded)) {
      throw new LedgerError("INVALID_CHANGE", "Some of these came with load(). Begin with save().");
    }
    return wanted.map(({ change }) => change);
  }
}

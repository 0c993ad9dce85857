/** What a client has of the log: it is sent the rest. */
import type { Actor, Version } from "../../contract.ts";
import { type Parcel, type Payload, payloadOf } from "./frames.ts";
import { lacks, type Snapshot } from "./log.ts";

export class Known {
  /** What the client said that it has, and what it has pushed: what it was sent is known by the position. */
  readonly #version: Map<Actor, number>;
  #position = 0;

  /** @param version of its hello */
  constructor(version: Version) {
    this.#version = new Map(Object.entries(version));
  }

  get version(): Version {
    return Object.fromEntries(this.#version);
  }

  /** Up to where it has all of the log. */
  get position(): number {
    return this.#position;
  }

  has(version: Version): void {
    for (const [actor, seq] of Object.entries(version)) {
      this.#version.set(actor, Math.max(seq, this.#version.get(actor) ?? 0));
    }
  }

  /** Nothing before this position is to be sent any more. */
  reaches(position: number): void {
    this.#position = Math.max(this.#position, position);
  }

  /** @returns frames with what it lacks; it has that from then on */
  take(snapshot: Snapshot | null, parcel: Parcel): Payload[] {
    const frames: Payload[] = [];
    if (snapshot && snapshot.position > this.#position && lacks(this.version, snapshot.version)) {
      const bytes = Buffer.from(snapshot.bytes).toString("base64");
      frames.push(payloadOf({ type: "snapshot", version: snapshot.version, bytes }));
      this.has(snapshot.version);
    }
    const changes = parcel.frame(this.#position, this.#version);
    if (changes) frames.push(changes);
    this.reaches(Math.max(snapshot?.position ?? 0, parcel.end));
    return frames;
  }
}

/** One client: what it says, what it has, and what is sent to it. */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type {
  Actor,
  Change,
  ClientFrame,
  ServerConfig,
  ServerFrame,
  Version,
} from "../../contract.ts";
import type { Database } from "./database.ts";
import { fromWire, Parcel, type Payload, parseFrame, payloadOf } from "./frames.ts";
import { Known } from "./known.ts";
import type { Log, Snapshot } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import type { Room } from "./room.ts";

/** The codes that connections are closed with. */
export const CLOSED = {
  away: 1001,
  broken: 1011,
  later: 1013,
  misspoken: 4400,
  stranger: 4401,
} as const;

type PushFrame = Extract<ClientFrame, { type: "push" }>;
type RefusalCode = Extract<ServerFrame, { type: "refused" }>["code"];

/** A push that is yet to be answered. */
interface Work {
  /** Of who waits for that. */
  over?: () => void;
}

export interface Backing {
  readonly config: ServerConfig;
  readonly database: Database;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Connection {
  readonly actor: Actor;
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #room: Room;
  readonly #backing: Backing;
  /** Null before its hello. */
  #known: Known | null = null;
  readonly #underWay = new Set<Work>();

  /** @param stream what the WebSocket is spoken on */
  constructor(socket: WebSocket, stream: Socket, actor: Actor, room: Room, backing: Backing) {
    this.actor = actor;
    this.#socket = socket;
    this.#outbox = new Outbox(socket, stream, backing.config.limits.backlogBytes);
    this.#room = room;
    this.#backing = backing;
    socket.on("message", (data, isBinary) => {
      const frame = isBinary ? undefined : parseFrame(String(data));
      const first = this.#known === null;
      if (!frame || first !== (frame.type === "hello")) return this.close(CLOSED.misspoken);
      try {
        this.#take(frame);
      } catch (error) {
        // It must not be the end of the others.
        console.error(error);
        this.close(CLOSED.broken);
      }
    });
  }

  /** Resolves when all that the client has pushed has been answered, and the answers have left. */
  async settled(): Promise<void> {
    const answered = (work: Work) =>
      new Promise<void>((resolve) => {
        work.over = resolve;
      });
    await Promise.all([...this.#underWay].map(answered));
    this.#outbox.flush();
  }

  close(code: number): void {
    this.#backing.metrics.closed(code);
    this.#room.connections.delete(this);
    this.#outbox.flush();
    this.#socket.close(code);
  }

  /** Sends what others did, unless too much waits for this client: then it has to come back. */
  tell(frame: ServerFrame): void {
    this.#put(payloadOf(frame));
  }

  /** Sends of what is new to somebody what is new to this client. */
  deliver(snapshot: Snapshot | null, parcel: Parcel): void {
    for (const frame of this.#known?.take(snapshot, parcel) ?? []) this.#put(frame);
  }

  #put(payload: Payload): void {
    if (!this.#outbox.put(payload)) this.close(CLOSED.later);
  }

  #take(frame: ClientFrame): void {
    if (frame.type === "push") this.#push(frame);
    else if (frame.type === "hello") void this.#sync(frame.version);
    else this.#room.point({ ...frame, actor: this.actor }, this);
  }

  #push({ id, changes: written }: PushFrame): void {
    const took = this.#backing.metrics.pushed();
    const changes = written.map(fromWire);
    const work: Work = {};
    this.#underWay.add(work);
    const answered = (code: RefusalCode | null) => {
      took(code ?? "acked");
      const seq = changes.at(-1)?.seq ?? 0;
      // Closed meanwhile: then the client asks again on its next connection.
      this.tell(code ? { type: "refused", id, code } : { type: "acked", id, seq });
      this.#underWay.delete(work);
      work.over?.();
    };
    const [first, ...others] = changes;
    const refusal = this.#refusalOf(changes);
    if (!first || refusal) {
      answered(refusal ?? "INVALID_CHANGE");
      return;
    }
    const version = { [this.actor]: first.seq + others.length };
    this.#room.stored.push({
      signal: this.#backing.database.budget(),
      changes: [first, ...others],
      // Who has pushed them is not to be sent them, which may happen before the answer comes.
      sound: () => this.#known?.has(version),
      answered,
    });
  }

  /** What is wrong with them, as far as one needn't know anything else. */
  #refusalOf(changes: readonly Change[]): RefusalCode | null {
    const from = changes[0]?.seq ?? 0;
    const follow = changes.every(({ seq }, i) => seq === from + i);
    const own = changes.every(({ actor }) => actor === this.actor);
    if (!own || !follow) return "INVALID_CHANGE";
    const { changeBytes } = this.#backing.config.limits;
    return changes.some(({ bytes }) => bytes.length > changeBytes) ? "TOO_LARGE" : null;
  }

  /** Sends what the client lacks as fast as it reads, and has it hear of what comes from then on. */
  async #sync(version: Version): Promise<void> {
    const known = new Known(version);
    this.#known = known;
    try {
      // Nothing can happen between the last look and the join: what the room reads comes after this.
      for (let more = true; more || known.position < this.#room.position; ) {
        const signal = this.#backing.database.budget();
        const { log } = this.#backing;
        const page = await log.after(signal, this.#room.document, known.position, known.version);
        const frames = known.take(page.snapshot, new Parcel(page.rows));
        for (const frame of frames) await this.#sent(frame);
        known.reaches(page.position);
        ({ more } = page);
      }
    } catch {
      return this.close(CLOSED.later);
    }
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.tell({ type: "synced" });
    this.#room.join(this, known.position);
  }

  /** Resolves when it is on its way; rejects when the connection is lost. */
  #sent(payload: Payload): Promise<void> {
    this.#outbox.flush();
    return new Promise((resolve, reject) => {
      const sent = (error?: Error) => (error ? reject(error) : resolve());
      this.#socket.send(Buffer.concat(payload), { binary: false }, sent);
    });
  }
}

/** The grader as a client of servers: whoever is behind it has a replica of the submission's. */
import { setTimeout as wait } from "node:timers/promises";
import { SubmissionError } from "@db-katas/grading";
import { type JWTPayload, SignJWT } from "jose";
import pg from "pg";
import { WebSocket } from "ws";
import type {
  Actor,
  Change,
  ClientFrame,
  DocumentId,
  Edit,
  Replica,
  Server,
  ServerConfig,
  ServerFrame,
  View,
  WireChange,
} from "../contract.ts";
import { type LedgerContext, startReplica, TREASURER } from "./kit.ts";

/** What servers are told that a request may wait for PostgreSQL, where nothing measures it, in milliseconds. */
const EASY_BUDGET_MS = 4_000;
/** How long to wait for what has nothing in its way, and for servers that find PostgreSQL again, in milliseconds. */
export const RECOVERY_MS = 10_000;

export type Limits = ServerConfig["limits"];
export const LIMITS: Limits = {
  changeBytes: 64 * 1_024,
  frameBytes: 512 * 1_024,
  backlogBytes: 1_024 * 1_024,
};

type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { readonly type: Type }>;

/** A server in a process of its own. */
export interface ServerNode {
  readonly name: string;
  readonly node: Server;
  readonly address: string;
}

export interface Claims {
  readonly sub?: string;
  readonly doc?: string;
  /** In seconds since the epoch; undefined: the token has none. */
  readonly exp?: number | undefined;
}

/** The servers of one check, who may come in, and the document that they all are on. */
export class Stage {
  readonly t: LedgerContext;
  readonly document: DocumentId;
  readonly secret: string;

  constructor(t: LedgerContext, secret = t.random.word(40)) {
    this.t = t;
    this.document = `board-${t.random.word(8)}`;
    this.secret = secret;
  }

  /** Another document, which nobody has been on yet, of the same servers. */
  elsewhere(): Stage {
    return new Stage(this.t, this.secret);
  }

  async server(
    name: string,
    { requestBudgetMs = EASY_BUDGET_MS, limits = LIMITS } = {},
  ): Promise<ServerNode> {
    const postgres = await this.t.lease("postgres").urlFor(name);
    const { secret } = this;
    const node = (await this.t.start(name, {
      role: "server",
      name,
      treasurer: TREASURER,
      postgres,
      secret,
      requestBudgetMs,
      limits,
    })) as Server;
    return { name, node, address: await node.address() };
  }

  /** Somebody with a replica; the node is named like the actor. */
  async person(actor: Actor): Promise<Person> {
    return new Person(actor, this.document, await startReplica(this.t, actor));
  }

  /** A token that lets an actor onto a document for an hour, but for what is said otherwise. */
  token(claims: Claims, secret = this.secret): Promise<string> {
    const exp = Math.floor(Date.now() / 1_000) + 3_600;
    return new SignJWT({ doc: this.document, exp, ...claims } as JWTPayload)
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
  }

  /** A connection that has said nothing yet. */
  async open(
    server: ServerNode,
    token: string,
    person: Person,
    document = this.document,
  ): Promise<Client> {
    const url = await this.t.reach(server.name, server.address, ["ws:"]);
    url.pathname = `/${document}`;
    url.searchParams.set("token", token);
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const client = new Client(this.t, server.name, person, socket);
    await this.t.exchange(server.name, `${person.actor} connects`, () => opened(socket));
    return client;
  }

  /** A connection that has said hello, and has been told what it lacked. */
  async connect(person: Person, server: ServerNode, { takes = true } = {}): Promise<Client> {
    const client = await this.open(server, await this.token({ sub: person.actor }), person);
    client.takes = takes;
    await client.hello();
    await client.until(
      () => client.all("synced").length > 0,
      "after its hello, a client is told that it is synced",
    );
    await client.taken();
    return client;
  }
}

/** Somebody with a replica, and what of theirs isn't acknowledged yet. */
export class Person {
  readonly actor: Actor;
  readonly document: DocumentId;
  readonly replica: Replica;
  outbox: Change[] = [];

  constructor(actor: Actor, document: DocumentId, replica: Replica) {
    this.actor = actor;
    this.document = document;
    this.replica = replica;
  }

  /** The same replica, on another document. */
  on({ document }: Stage): Person {
    return new Person(this.actor, document, this.replica);
  }

  /** Does something, and keeps it until it is acknowledged. */
  async edit(...edits: Edit[]): Promise<Change> {
    const change = await this.replica.edit(this.document, edits);
    this.outbox.push(change);
    return change;
  }

  view(): Promise<View> {
    return this.replica.view(this.document);
  }

  /** The ids of the shapes on the board, sorted. */
  async shapes(): Promise<string[]> {
    return (await this.view()).shapes.map(({ id }) => id).sort();
  }
}

export class Client {
  readonly person: Person;
  /** All that came, in the order that it came in. */
  readonly frames: ServerFrame[] = [];
  /** Whether the replica is given what comes. */
  takes = true;
  /** What the connection was closed with; 1006 where nobody said goodbye. */
  closedWith: number | undefined;
  readonly #t: LedgerContext;
  readonly #server: string;
  readonly #socket: WebSocket;
  #taken: Promise<void> = Promise.resolve();
  #serial = 0;

  constructor(t: LedgerContext, server: string, person: Person, socket: WebSocket) {
    this.#t = t;
    this.#server = server;
    this.person = person;
    this.#socket = socket;
    // It is closed as well, and that is looked at.
    socket.on("error", () => {});
    socket.on("close", (code) => {
      this.closedWith = code;
    });
    socket.on("message", (data) => this.#take(String(data)));
  }

  all<Type extends ServerFrame["type"]>(type: Type): FrameOf<Type>[] {
    return this.frames.filter((frame): frame is FrameOf<Type> => frame.type === type);
  }

  /** The `seq` of all changes of an actor that came, as they came. */
  seqsOf(actor: Actor): number[] {
    const changes = this.all("changes").flatMap((frame) => frame.changes);
    return changes.filter((change) => change.actor === actor).map(({ seq }) => seq);
  }

  send(frame: ClientFrame | string | Uint8Array): void {
    const raw = typeof frame === "string" || frame instanceof Uint8Array;
    this.#socket.send(raw ? frame : JSON.stringify(frame), () => {});
  }

  async hello(): Promise<void> {
    this.send({ type: "hello", version: await this.person.replica.version(this.person.document) });
  }

  /** Pushes changes, and waits for no answer. @returns the push's id */
  post(changes: readonly (Change | WireChange)[]): number {
    this.#serial += 1;
    this.send({ type: "push", id: this.#serial, changes: changes.map(toWire) });
    return this.#serial;
  }

  /** What a push was answered, once it is. */
  answer(id: number): FrameOf<"acked" | "refused"> | undefined {
    return this.frames.find(
      (frame): frame is FrameOf<"acked" | "refused"> =>
        (frame.type === "acked" || frame.type === "refused") && frame.id === id,
    );
  }

  /** @returns the highest `seq` that is acknowledged, or why it was refused */
  async push(
    changes: readonly (Change | WireChange)[],
    ms = RECOVERY_MS,
  ): Promise<number | string> {
    const id = this.post(changes);
    await this.until(() => this.answer(id) !== undefined, "a push is answered", ms);
    const answer = this.answer(id);
    if (answer?.type === "refused") return answer.code;
    const seq = answer?.seq ?? 0;
    this.person.outbox = this.person.outbox.filter((change) => change.seq > seq);
    return seq;
  }

  /** Pushes all that isn't acknowledged yet, again and again where PostgreSQL is away. */
  async flush(what = "what was made without a connection is acknowledged"): Promise<void> {
    const { outbox } = this.person;
    const last = outbox.at(-1);
    if (!last) return;
    const again = async () => this.push(outbox);
    const accepted = (answer: number | string) => answer !== "STORE_UNAVAILABLE";
    const answer = await this.#t.eventually(RECOVERY_MS, again, accepted, what, "acked");
    this.#t.equal(answer, last.seq, what);
  }

  /** Waits for something that frames bring. */
  async until(holds: () => boolean, what: string, ms = RECOVERY_MS): Promise<void> {
    await this.#t.eventually(ms, async () => holds(), Boolean, what, "it does");
  }

  /** Waits until the replica has all of an actor's changes up to one. */
  async has(actor: Actor, seq: number, what: string, ms = RECOVERY_MS): Promise<void> {
    const { replica, document } = this.person;
    const ask = async () => (await replica.version(document))[actor] ?? 0;
    await this.#t.eventually(
      ms,
      ask,
      (known) => known >= seq,
      what,
      `${seq} of ${actor}'s changes`,
    );
  }

  /** Resolves when the replica has taken what came. @throws what it said of that */
  taken(): Promise<void> {
    return this.#taken;
  }

  /** Reads nothing more until {@link resume}. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Gone, without a goodbye. */
  vanish(): void {
    this.#socket.terminate();
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #take(text: string): void {
    const frame = parse(text);
    if (!frame) {
      const error = { name: "Error", message: `it sent what is no frame: ${text.slice(0, 80)}` };
      this.#taken = Promise.reject(new SubmissionError(this.#server, "send", error));
    } else {
      this.frames.push(frame);
      this.#taken = this.#taken.then(() => this.#pass(frame));
    }
    // Whoever looks at it later is told.
    this.#taken.catch(() => {});
  }

  async #pass(frame: ServerFrame): Promise<void> {
    const { replica, document } = this.person;
    if (!this.takes) return;
    if (frame.type === "snapshot") await replica.load(document, decode(frame.bytes));
    if (frame.type === "changes") await replica.receive(document, frame.changes.map(fromWire));
  }
}

function decode(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function toWire({ actor, seq, bytes }: Change | WireChange): WireChange {
  if (typeof bytes === "string") return { actor, seq, bytes };
  return { actor, seq, bytes: Buffer.from(bytes).toString("base64") };
}

export function fromWire({ actor, seq, bytes }: WireChange): Change {
  return { actor, seq, bytes: decode(bytes) };
}

const TYPES = new Set(["snapshot", "changes", "synced", "acked", "refused", "cursor"]);

/** Whatever a submission sends must not be an error of the grader's. */
function parse(text: string): ServerFrame | undefined {
  try {
    const frame = JSON.parse(text) as ServerFrame | null;
    return frame && TYPES.has(frame.type) ? frame : undefined;
  } catch {
    return undefined;
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
}

/** The document's rows, as whoever has PostgreSQL sees them. */
export async function rowsOf(
  stage: Stage,
): Promise<{ position: number; actor: Actor; seq: number }[]> {
  return await asAdmin(stage.t, async (client) => {
    const { rows } = await client.query<{ position: number; actor: Actor; seq: number }>(
      `SELECT position::float8 AS position, actor, seq FROM operations
       WHERE document = $1 ORDER BY operations.position`,
      [stage.document],
    );
    return rows;
  });
}

export async function asAdmin<T>(
  t: LedgerContext,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Waits for a condition that needn't come true. */
export async function perhaps(holds: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!holds() && performance.now() < end) await wait(10);
}

/** A shape to add to a board. */
export function rectangle(shape: string): Edit {
  const properties = {
    type: "rectangle",
    x: 1,
    y: 2,
    width: 3,
    height: 4,
    color: "#336699",
  } as const;
  return { kind: "add", shape, parent: null, above: null, properties };
}

/** Text to type into a shape, `length` characters of it. */
export function typing(shape: string, text: string): Edit {
  return { kind: "insert", shape, at: 0, text };
}

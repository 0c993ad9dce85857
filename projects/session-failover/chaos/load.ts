/** Clients that open, read, change and end sessions, each in an order of its own drawn from the seed. */
import { setTimeout as wait } from "node:timers/promises";
import { type Random, randomFrom, seedFor } from "@db-katas/grading";
import type { SessionNode } from "../contract.ts";
import type { Call, CallName, Nodes, Recorder, Subject } from "./calls.ts";
import type { Schedule, WriteName } from "./schedule.ts";

/** A session that its client believes to be alive. */
interface Held {
  id: string;
  readonly device: string;
  version: number;
  /** Grows with each touch, so that a touch that was undone shows. */
  ttlMs: number;
  /** False once a write went unanswered: its version is anybody's guess. */
  known: boolean;
}

interface Wanted {
  readonly op: WriteName;
  readonly node: string;
  readonly started: (call: Call) => void;
}

const SESSIONS_EACH = 3;
/** Pauses between a client's calls, in milliseconds. */
const THINKS_MS = 8;

export class Load {
  /** Every id that anybody was ever given, dead or alive, in order of appearance. */
  readonly ids: { readonly id: string; readonly userId: string }[] = [];
  readonly #nodes: Nodes;
  readonly #recorder: Recorder;
  readonly #clients: Client[];
  readonly #wanted: Wanted[] = [];
  #running = true;

  constructor(schedule: Schedule, nodes: Nodes, recorder: Recorder) {
    this.#nodes = nodes;
    this.#recorder = recorder;
    this.#clients = Array.from(
      { length: schedule.load.clients },
      (_, number) => new Client(`c${number + 1}`, schedule.seed, this),
    );
  }

  /** Resolves when every client has had its last answer. */
  async run(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.run()));
  }

  stop(): void {
    this.#running = false;
  }

  get running(): boolean {
    return this.#running;
  }

  get nodeNames(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** The next client that is free does that write. Resolves as soon as it is under way. */
  want(op: WriteName, node: string): Promise<Call> {
    return new Promise((started) => {
      this.#wanted.push({ op, node, started });
    });
  }

  /** What is wanted and can be done: without a session there is nothing to change. */
  take(hasSession: boolean): Wanted | undefined {
    const index = this.#wanted.findIndex(
      ({ op }) => hasSession || op === "create" || op === "destroyAll",
    );
    return index < 0 ? undefined : this.#wanted.splice(index, 1)[0];
  }

  call(
    who: { client: string; node: string; op: CallName } & Subject,
    run: (node: SessionNode) => Promise<unknown>,
    started?: (call: Call) => void,
  ): Promise<Call> {
    const node = this.#nodes.get(who.node);
    if (!node) throw new RangeError(`There is no node ${who.node}.`);
    const { call, done } = this.#recorder.start(who, () => run(node));
    started?.(call);
    return done;
  }
}

class Client {
  readonly #name: string;
  readonly #random: Random;
  readonly #load: Load;
  #held: Held[] = [];
  #user: string;
  #users = 1;
  #devices = 0;
  #tokens = 0;

  constructor(name: string, seed: number, load: Load) {
    this.#name = name;
    this.#user = `${name}-u1`;
    this.#random = randomFrom(seedFor(seed, name));
    this.#load = load;
  }

  async run(): Promise<void> {
    while (this.#load.running) {
      const wanted = this.#load.take(this.#held.length > 0);
      if (wanted) await this.#write(wanted.op, wanted.node, wanted.started);
      else await this.#next();
      await wait(this.#random.int(0, THINKS_MS));
    }
  }

  async #next(): Promise<void> {
    const node = this.#anyNode();
    const dice = this.#random.int(1, 100);
    if (this.#held.length === 0 || dice <= 8) return await this.#write("create", node);
    if (dice <= 40) return await this.#read(node);
    if (dice <= 62) return await this.#write("update", node);
    if (dice <= 66) return await this.#race();
    if (dice <= 76) return await this.#write("touch", node);
    if (dice <= 82) return await this.#write("rotate", node);
    if (dice <= 88) return await this.#write("destroy", node);
    if (dice <= 90) return await this.#write("destroyAll", node);
    const { userId } = this.#who();
    await this.#call("list", node, { userId }, (api) => api.list(userId));
  }

  /** One's own sessions, and now and then anybody's: the dead are asked for as well. */
  async #read(node: string): Promise<void> {
    const own = this.#held.length > 0 && this.#random.int(1, 3) > 1;
    const recent = this.#load.ids.slice(-40);
    const { id, userId } =
      own || recent.length === 0
        ? { id: this.#pick().id, userId: this.#user }
        : this.#random.pick(recent);
    await this.#call("get", node, { userId, id }, (api) => api.get(id));
  }

  async #write(op: WriteName, node: string, started?: (call: Call) => void): Promise<void> {
    if (op === "create") return await this.#create(node, started);
    if (op === "update") return await this.#update(node, started);
    if (op === "touch") return await this.#touch(node, started);
    if (op === "rotate") return await this.#rotate(node, started);
    if (op === "destroy") return await this.#destroy(node, started);
    await this.#destroyAll(node, started);
  }

  async #create(node: string, started?: (call: Call) => void): Promise<void> {
    if (this.#held.length >= SESSIONS_EACH) this.#held.shift();
    const device = `${this.#name}-d${++this.#devices}`;
    const input = { ...this.#who(), device, data: this.#data(1), ttlMs: 60_000 };
    const subject = { userId: this.#user, device, token: input.data.token };
    const { session } = await this.#call("create", node, subject, (a) => a.create(input), started);
    if (!session) return;
    this.#load.ids.push({ id: session.id, userId: this.#user });
    const { ttlMs } = input;
    this.#held.push({ id: session.id, device, version: 1, ttlMs, known: true });
  }

  async #update(node: string, started?: (call: Call) => void): Promise<void> {
    const held = this.#pick();
    const { alone, expectedVersion } = { alone: held.known, expectedVersion: held.version };
    const data = this.#data(expectedVersion + 1);
    const { outcome, code } = await this.#call(
      "update",
      node,
      { ...this.#about(held), expectedVersion, token: data.token, alone },
      (api) => api.update(held.id, { data, expectedVersion }),
      started,
    );
    if (outcome === "ok") held.version += 1;
    else if (outcome === "unknown") held.known = false;
    else if (code === "NOT_FOUND") this.#forget(held);
  }

  /** Two updates of the same version at the same moment, on two nodes. */
  async #race(): Promise<void> {
    const held = this.#pick();
    const expectedVersion = held.version;
    const calls = await Promise.all(
      this.#random
        .shuffle(this.#load.nodeNames)
        .slice(0, 2)
        .map((node) => {
          const data = this.#data(expectedVersion + 1);
          return this.#call(
            "update",
            node,
            { ...this.#about(held), expectedVersion, token: data.token },
            (api) => api.update(held.id, { data, expectedVersion }),
          );
        }),
    );
    if (calls.some(({ outcome }) => outcome === "unknown")) held.known = false;
    if (calls.some(({ outcome }) => outcome === "ok")) held.version += 1;
  }

  async #touch(node: string, started?: (call: Call) => void): Promise<void> {
    const held = this.#pick();
    held.ttlMs += 10_000;
    const { ttlMs } = held;
    await this.#call("touch", node, this.#about(held), (api) => api.touch(held.id, ttlMs), started);
  }

  async #rotate(node: string, started?: (call: Call) => void): Promise<void> {
    const held = this.#pick();
    const before = this.#about(held);
    const { session } = await this.#call(
      "rotate",
      node,
      before,
      (a) => a.rotate(before.id),
      started,
    );
    if (!session) return this.#forget(held);
    held.id = session.id;
    this.#load.ids.push({ id: session.id, userId: this.#user });
  }

  async #destroy(node: string, started?: (call: Call) => void): Promise<void> {
    const held = this.#pick();
    this.#forget(held);
    await this.#call("destroy", node, this.#about(held), (a) => a.destroy(held.id), started);
  }

  async #destroyAll(node: string, started?: (call: Call) => void): Promise<void> {
    const { userId } = this.#who();
    this.#held = [];
    const call = this.#call("destroyAll", node, { userId }, (a) => a.destroyAll(userId), started);
    const { outcome } = await call;
    // It may still happen, so that nothing could be said about this user's later sessions.
    if (outcome === "unknown") this.#user = `${this.#name}-u${++this.#users}`;
  }

  #call(
    op: CallName,
    node: string,
    subject: Subject,
    run: (node: SessionNode) => Promise<unknown>,
    started?: (call: Call) => void,
  ): Promise<Call> {
    return this.#load.call({ client: this.#name, node, op, ...subject }, run, started);
  }

  #about({ id, device }: Held): Subject & { id: string } {
    return { userId: this.#user, id, device };
  }

  #who(): { userId: string } {
    return { userId: this.#user };
  }

  /** The token says who wrote it. */
  #data(version: number): { version: number; token: string } {
    return { version, token: `${this.#name}-${++this.#tokens}` };
  }

  #pick(): Held {
    return this.#random.pick(this.#held);
  }

  #forget(gone: Held): void {
    this.#held = this.#held.filter((held) => held !== gone);
  }

  #anyNode(): string {
    return this.#random.pick(this.#load.nodeNames);
  }
}

/** One person at one document: the replica, what of it the servers know, and who else is there. */
import { computed, signal } from "@preact/signals";
import type { Actor, Change, DocumentId, Edit, Replica, View } from "../../contract.ts";
import { startReplica } from "../../src/replica/replica.ts";
import { askPass, type Doors } from "./doors.ts";
import { sharing } from "./sharing.ts";
import { Keep } from "./sync/keep.ts";
import { Link, type LinkOwner, type Status } from "./sync/link.ts";
import type { Point } from "./sync/visit.ts";

/** Nobody says that he is gone. */
const CURSOR_LIFE_MS = 10_000;
const CURSOR_EVERY_MS = 50;

export interface SessionConfig {
  readonly doors: Doors;
  readonly document: DocumentId;
  readonly actor: Actor;
  /** The only one to go to; null: any of them. */
  readonly server: string | null;
}

export interface Pointer extends Point {
  readonly actor: Actor;
  readonly at: number;
}

export class Session implements LinkOwner {
  readonly config: SessionConfig;
  readonly view = signal<View>({ shapes: [], balances: {} });
  readonly pointers = signal<readonly Pointer[]>([]);
  /** The last thing that went wrong, for people. */
  readonly notice = signal<string | null>(null);
  /** Whether this person wants to be online. */
  readonly wantsOnline = signal(true);
  readonly #status = signal<Status>("connecting");
  readonly #waiting = signal<readonly Change[]>([]);
  readonly status = computed(() => this.#status.value);
  /** How many changes no server has acknowledged. */
  readonly waiting = computed(() => this.#waiting.value.length);
  readonly #replica: Replica;
  readonly #link: Link;
  readonly #keep: Keep;
  readonly #keptTo = signal(0);
  /** Whether this browser keeps all that waits; what it doesn't is not sent yet either. */
  readonly kept = computed(() => (this.#waiting.value.at(-1)?.seq ?? 0) <= this.#keptTo.value);
  #pointedAt = 0;

  private constructor(config: SessionConfig) {
    const { doors, document, actor } = config;
    this.config = config;
    this.#replica = startReplica({
      role: "replica",
      name: actor,
      actor,
      treasurer: doors.treasurer,
    });
    this.#link = new Link(this);
    this.#keep = new Keep(doors.store, document, actor, async () => ({
      outbox: this.#waiting.value,
      saved: await this.#replica.save(document),
    }));
  }

  static async open(config: SessionConfig): Promise<Session> {
    const session = new Session(config);
    const kept = await session.#keep.load();
    if (kept) {
      await session.#replica.load(config.document, kept.saved);
      session.#waiting.value = kept.outbox;
      session.#keptTo.value = kept.outbox.at(-1)?.seq ?? 0;
    }
    await session.#look();
    session.#link.open();
    addEventListener("offline", () => session.#link.drop());
    addEventListener("online", () => session.#link.retry());
    addEventListener("beforeunload", (event) => {
      if (!session.kept.value) event.preventDefault();
    });
    setInterval(() => session.#forgetPointers(), CURSOR_LIFE_MS / 2);
    return session;
  }

  /** Does all of it or, and then it says why, nothing. @returns whether it was done */
  async edit(edits: readonly Edit[]): Promise<boolean> {
    if (edits.length === 0) return true;
    return this.#change(() => this.#replica.edit(this.config.document, edits));
  }

  async undo(): Promise<void> {
    await this.#change(() => this.#replica.undo(this.config.document));
  }

  escrow(account: string): Promise<number> {
    return this.#replica.escrow(this.config.document, account);
  }

  /** The document with all of its history. */
  save(): Promise<Uint8Array> {
    return this.#replica.save(this.config.document);
  }

  goOnline(online: boolean): void {
    this.wantsOnline.value = online;
    if (online) this.#link.open();
    else this.#link.close();
  }

  /** Shows others where this person points. */
  point(point: Point): void {
    const now = performance.now();
    if (now - this.#pointedAt < CURSOR_EVERY_MS) return;
    this.#pointedAt = now;
    this.#link.point(point);
  }

  async address(attempt: number): Promise<string> {
    const { doors, document, actor, server } = this.config;
    const { servers } = doors;
    const name = server ?? (servers[(spread(actor) + attempt) % servers.length] as string);
    return await askPass(document, actor, name);
  }

  linked(status: Status): void {
    this.#status.value = status;
  }

  version() {
    return this.#replica.version(this.config.document);
  }

  outbox(): readonly Change[] {
    return this.#waiting.value.filter(({ seq }) => seq <= this.#keptTo.value);
  }

  acknowledged(acknowledged: number): void {
    this.#waiting.value = this.#waiting.value.filter(({ seq }) => seq > acknowledged);
    this.#store();
  }

  async load(saved: Uint8Array): Promise<void> {
    await this.#replica.load(this.config.document, saved);
    await this.#look();
    this.#store();
  }

  async receive(changes: readonly Change[]): Promise<void> {
    await this.#replica.receive(this.config.document, changes);
    await this.#look();
    this.#store();
  }

  pointed(actor: Actor, { x, y }: Point): void {
    const others = this.pointers.value.filter((pointer) => pointer.actor !== actor);
    this.pointers.value = [...others, { actor, x, y, at: performance.now() }];
  }

  synced(): void {
    this.#status.value = "online";
    this.#link.wake();
  }

  hopeless(why: string): void {
    this.notice.value = `This page can't go on with the servers: ${why}. Open it under another name.`;
    this.goOnline(false);
  }

  async #change(make: () => Promise<Change | null>): Promise<boolean> {
    try {
      const change = await make();
      this.notice.value = null;
      if (!change) return false;
      this.#waiting.value = [...this.#waiting.value, change];
    } catch (error) {
      this.notice.value = error instanceof Error ? error.message : String(error);
      return false;
    }
    await this.#look();
    this.#store();
    return true;
  }

  /** Within the task in which something changed, so that nobody can act on what was before. */
  async #look(): Promise<void> {
    const { shapes, balances } = await this.#replica.view(this.config.document);
    this.view.value = { shapes: sharing(this.view.value.shapes, shapes), balances };
  }

  #store(): void {
    void this.#keep.save(
      ({ outbox }) => {
        this.#keptTo.value = Math.max(this.#keptTo.value, outbox.at(-1)?.seq ?? 0);
        this.#link.wake();
      },
      () => {
        this.notice.value =
          "This browser keeps nothing: what no server has is lost when the page is closed.";
      },
    );
  }

  #forgetPointers(): void {
    const oldest = performance.now() - CURSOR_LIFE_MS;
    const fresh = this.pointers.value.filter(({ at }) => at > oldest);
    if (fresh.length < this.pointers.value.length) this.pointers.value = fresh;
  }
}

/** So that not all begin with the same server. */
function spread(actor: Actor): number {
  return [...actor].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0);
}

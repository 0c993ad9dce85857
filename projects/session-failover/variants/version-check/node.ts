import type { NodeConfig, Session, SessionData } from "../../contract.ts";
import { timingOf } from "../../src/config.ts";
import type { Deadline } from "../../src/deadline.ts";
import { hashOf } from "../../src/ids.ts";
import { PostgresNode, type SessionRow } from "../postgres-only/node.ts";
import { LIVE, META, repeatable } from "../postgres-only/statements.ts";
import { Payloads } from "./payloads.ts";

/** All but the data, which may be large. */
const readMeta = repeatable("read-meta", `SELECT ${META} FROM sessions WHERE ${LIVE}`);

export class VersionCheckNode extends PostgresNode {
  readonly #payloads: Payloads;

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    super(config, stores.postgres);
    this.#payloads = new Payloads(stores.redis, timingOf(config));
  }

  override async update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    const session = await super.update(id, input);
    this.#keep(session);
    return session;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#payloads.close();
  }

  protected override async read(id: string, deadline: Deadline): Promise<Session | null> {
    const hash = hashOf(id);
    const [[meta], payload] = await Promise.all([
      this.database.run<Omit<SessionRow, "data">>(readMeta, [hash], deadline),
      this.#payloads.get(hash),
    ]);
    if (!meta) return null;
    const { user_id, version, expires_ms } = meta;
    if (payload?.version === version) {
      const { data } = payload;
      return { id, userId: user_id, data, version, expiresAt: Math.round(expires_ms) };
    }
    const session = await super.read(id, deadline);
    if (session) this.#keep(session);
    return session;
  }

  /** Nobody waits for it, and nobody minds if it fails or comes late. */
  #keep(session: Session): void {
    void this.calls.track(this.#payloads.put(hashOf(session.id), session));
  }
}

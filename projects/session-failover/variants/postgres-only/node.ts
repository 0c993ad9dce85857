/** A node that knows of no Redis. */
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../../contract.ts";
import { Calls } from "../../src/calls.ts";
import { checkText, checkTtl, timingOf } from "../../src/config.ts";
import type { Deadline } from "../../src/deadline.ts";
import { notFound, versionConflict } from "../../src/errors.ts";
import { hashOf, isId, newId } from "../../src/ids.ts";
import { logger } from "../../src/log.ts";
import { Database } from "../../src/postgres/database.ts";
import * as sql from "./statements.ts";

export interface SessionRow {
  readonly user_id: string;
  readonly data: SessionData;
  readonly version: number;
  readonly expires_ms: number;
}

export class PostgresNode implements SessionNode {
  readonly calls: Calls;
  readonly database: Database;

  constructor(config: NodeConfig, postgres: string) {
    const { callMs } = timingOf(config);
    this.calls = new Calls(callMs);
    this.database = new Database(postgres, callMs, logger(config.name));
  }

  create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    return this.calls.run(async (deadline) => {
      const id = newId();
      const user = checkText(input.userId, "userId");
      const device = checkText(input.device, "device");
      const data = JSON.stringify(input.data);
      const values = [hashOf(id), user, device, data, checkTtl(input.ttlMs)];
      return sessionOf(id, await this.database.run<SessionRow>(sql.create, values, deadline));
    });
  }

  get(id: string): Promise<Session | null> {
    return this.calls.run(async (deadline) => (isId(id) ? await this.read(id, deadline) : null));
  }

  update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    return this.calls.run(async (deadline) => {
      const values = [hashOf(id), JSON.stringify(input.data), input.expectedVersion];
      const rows = await this.database.run<SessionRow>(sql.update, values, deadline);
      if (rows.length > 0) return sessionOf(id, rows);
      const [exists] = await this.database.run(sql.read, [hashOf(id)], deadline);
      throw exists ? versionConflict(input.expectedVersion) : notFound();
    });
  }

  touch(id: string, ttlMs: number): Promise<Session> {
    return this.calls.run(async (deadline) => {
      const values = [hashOf(id), checkTtl(ttlMs)];
      return sessionOf(id, await this.database.run<SessionRow>(sql.touch, values, deadline));
    });
  }

  rotate(id: string): Promise<Session> {
    return this.calls.run(async (deadline) => {
      const fresh = newId();
      const values = [hashOf(id), hashOf(fresh)];
      return sessionOf(fresh, await this.database.run<SessionRow>(sql.rotate, values, deadline));
    });
  }

  destroy(id: string): Promise<void> {
    return this.calls.run(async (deadline) => {
      await this.database.run(sql.destroy, [hashOf(id)], deadline);
    });
  }

  destroyAll(userId: string): Promise<number> {
    return this.calls.run(async (deadline) => {
      const values = [checkText(userId, "userId")];
      const ended = await this.database.run<{ live: boolean }>(sql.destroyAll, values, deadline);
      return ended.filter((row) => row.live).length;
    });
  }

  list(userId: string): Promise<readonly Device[]> {
    return this.calls.run(async (deadline) => {
      const rows = await this.database.run<{
        device: string;
        created_ms: number;
        expires_ms: number;
      }>(sql.list, [checkText(userId, "userId")], deadline);
      return rows.map(({ device, created_ms, expires_ms }) => ({
        device,
        createdAt: Math.round(created_ms),
        expiresAt: Math.round(expires_ms),
      }));
    });
  }

  async close(): Promise<void> {
    await this.calls.end();
    await this.database.close();
  }

  protected async read(id: string, deadline: Deadline): Promise<Session | null> {
    const rows = await this.database.run<SessionRow>(sql.read, [hashOf(id)], deadline);
    return rows.length > 0 ? sessionOf(id, rows) : null;
  }
}

function sessionOf(id: string, [row]: readonly SessionRow[]): Session {
  if (!row) throw notFound();
  const { user_id, data, version, expires_ms } = row;
  return { id, userId: user_id, data, version, expiresAt: Math.round(expires_ms) };
}

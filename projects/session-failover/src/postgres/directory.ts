/** Whole stores of sessions, through Prisma on the same pool: what is asked rarely, typed by the schema. */
import type { SessionData } from "../../contract.ts";
import { asSessionError } from "../errors.ts";
import type { PrismaClient } from "../generated/client.ts";
import type { Database } from "./database.ts";
import type { StoredSession } from "./sessions.ts";

/** Sessions count as long as they are live by PostgreSQL's clock. */
export class Directory {
  readonly #database: Database;
  #prisma: Promise<PrismaClient> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Prisma's client is loaded, and its query compiler built, with the first question, which takes far
   * longer than all later ones.
   */
  async warmUp(): Promise<void> {
    await this.countOf("");
  }

  sessionsOf(store: string): Promise<StoredSession[]> {
    return this.#ask(async ({ liveSession }) => {
      const select = { userId: true, data: true, version: true, expiresAt: true };
      const rows = await liveSession.findMany({ where: { store }, select });
      return rows.map(({ data, expiresAt, ...row }) => ({
        ...row,
        data: data as SessionData,
        expiresAt: expiresAt.getTime(),
      }));
    });
  }

  countOf(store: string): Promise<number> {
    return this.#ask(({ liveSession }) => liveSession.count({ where: { store } }));
  }

  async close(): Promise<void> {
    await (await this.#prisma)?.$disconnect();
  }

  async #ask<T>(question: (prisma: PrismaClient) => Promise<T>): Promise<T> {
    try {
      this.#prisma ??= import("./prisma.ts").then(({ openPrisma }) =>
        openPrisma(this.#database.pool),
      );
      return await question(await this.#prisma);
    } catch (error) {
      throw asSessionError(error, "PostgreSQL");
    }
  }
}

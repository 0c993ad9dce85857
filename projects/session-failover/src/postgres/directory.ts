/** Users and their devices, through Prisma on the same pool: what is asked rarely, typed by the schema. */
import type { Device } from "../../contract.ts";
import { asSessionError } from "../errors.ts";
import type { PrismaClient } from "../generated/client.ts";
import type { Database } from "./database.ts";

export class Directory {
  readonly #database: Database;
  #prisma: Promise<PrismaClient> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Prisma's client is loaded, and its query compiler built, with the first query, which takes far
   * longer than all later ones: not something that the first request should wait for.
   */
  async warmUp(): Promise<void> {
    await this.devices("");
  }

  /** Those whose session is live by PostgreSQL's clock, oldest first. */
  async devices(userId: string): Promise<Device[]> {
    try {
      const prisma = await this.#client();
      const rows = await prisma.liveSession.findMany({
        where: { userId },
        orderBy: [{ createdAt: "asc" }, { tokenHash: "asc" }],
        select: { device: true, createdAt: true, expiresAt: true },
      });
      return rows.map(({ device, createdAt, expiresAt }) => ({
        device,
        createdAt: createdAt.getTime(),
        expiresAt: expiresAt.getTime(),
      }));
    } catch (error) {
      throw asSessionError(error, "PostgreSQL");
    }
  }

  async close(): Promise<void> {
    await (await this.#prisma)?.$disconnect();
  }

  #client(): Promise<PrismaClient> {
    this.#prisma ??= import("./prisma.ts").then(({ openPrisma }) =>
      openPrisma(this.#database.pool),
    );
    return this.#prisma;
  }
}

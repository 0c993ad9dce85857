/** Users and their devices, through Prisma on the same pool: what is asked rarely, typed by the schema. */
import { PrismaPg } from "@prisma/adapter-pg";
import type { Device } from "../../contract.ts";
import { asSessionError } from "../errors.ts";
import { PrismaClient } from "../generated/client.ts";
import type { Database } from "./database.ts";

export class Directory {
  readonly #prisma: PrismaClient;

  constructor(database: Database) {
    this.#prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  }

  /**
   * Prisma loads its query compiler with the first query, which takes far longer than all later ones:
   * not something that the first request should wait for.
   */
  async warmUp(): Promise<void> {
    await this.devices("");
  }

  /** Most sessions are of users who are there already: those cost one look and no write. */
  async ensureUser(id: string): Promise<void> {
    try {
      const found = await this.#prisma.user.findUnique({ where: { id } });
      if (!found) await this.#prisma.user.create({ data: { id } });
    } catch (error) {
      throw asSessionError(error, "PostgreSQL");
    }
  }

  /** Those whose session is live by PostgreSQL's clock, oldest first. */
  async devices(userId: string): Promise<Device[]> {
    try {
      const rows = await this.#prisma.liveSession.findMany({
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
    await this.#prisma.$disconnect();
  }
}

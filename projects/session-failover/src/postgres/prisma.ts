/** A module of its own, so that it is loaded only when something is asked that takes Prisma. */
import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import { PrismaClient } from "../generated/client.ts";

/** A client on the pool that everything else uses too; closing it leaves the pool alone. */
export function openPrisma(pool: pg.Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool) });
}

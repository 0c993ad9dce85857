/** Mutant: the guide's migration. Dual write, LIMIT and OFFSET, COUNT. */
import { createHash } from "node:crypto";
import pg from "pg";
import type { Account, MigrationNode, Phase, Submission } from "../contract.ts";
import { legacyDialect, modernDialect, parseAccount, parseChange, type Row } from "./account.ts";
import { alreadyExists, notFound } from "./errors.ts";

const dialects = { legacy: legacyDialect, modern: modernDialect };
type Name = keyof typeof dialects;

export default {
  async migrate({ name, url }) {
    if (name === "modern") return;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      "CREATE TABLE IF NOT EXISTS flags (phase text, copied integer, done boolean)",
    );
    await client.query(
      "INSERT INTO flags SELECT 'legacy', 0, false WHERE NOT EXISTS (SELECT FROM flags)",
    );
    await client.end();
  },
  async createNode(config) {
    const pools = {
      legacy: new pg.Pool({ connectionString: config.legacy }),
      modern: new pg.Pool({ connectionString: config.modern }),
    };
    for (const pool of Object.values(pools)) pool.on("error", () => {});

    const flags = async () => {
      const { rows } = await pools.legacy.query<{ phase: Phase; copied: number; done: boolean }>(
        "SELECT * FROM flags",
      );
      return rows[0] ?? { phase: "legacy" as const, copied: 0, done: false };
    };
    const find = async (name: Name, id: string): Promise<Account | null> => {
      const { columns, parse } = dialects[name];
      const text = `SELECT ${columns} FROM accounts a WHERE id = $1`;
      const { rows } = await pools[name].query<Row>(text, [id]);
      return rows[0] ? parse(id, rows[0]) : null;
    };
    const put = async (name: Name, account: Account) => {
      const { targets, values } = dialects[name];
      const set = targets.map((column, at) => `${column} = $${at + 2}`).join(", ");
      await pools[name].query(
        `INSERT INTO accounts (id, ${targets.join(", ")}) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET ${set}`,
        [account.id, ...values(account)],
      );
    };
    const drop = (name: Name, id: string) =>
      pools[name].query("DELETE FROM accounts WHERE id = $1", [id]);
    const both = async (write: (name: Name) => Promise<unknown>) => {
      const { phase } = await flags();
      await write("legacy");
      if (phase !== "legacy") await write("modern").catch(() => {});
    };
    const count = async (name: Name) => {
      const { rows } = await pools[name].query("SELECT count(*)::int AS n FROM accounts");
      return Number(rows[0]?.n);
    };

    const node: MigrationNode = {
      async create(input) {
        const account = parseAccount(input);
        if (await find("legacy", account.id)) throw alreadyExists(account.id);
        await both((name) => put(name, account));
      },
      async update(id, input) {
        const before = await find("legacy", id);
        if (!before) throw notFound(id);
        await both((name) => put(name, { ...before, ...parseChange(input) }));
      },
      async remove(id) {
        if (!(await find("legacy", id))) throw notFound(id);
        await both((name) => drop(name, id));
      },
      async get(id) {
        const { phase } = await flags();
        const share = phase === "modern" ? 100 : Number(/\d+/.exec(phase)?.[0] ?? 0);
        const place = (createHash("md5").update(id).digest().readUInt32BE() / 2 ** 32) * 100;
        const servedFrom = place < share ? "modern" : "legacy";
        return { account: await find(servedFrom, id), servedFrom };
      },
      getMany: (ids) => Promise.all(ids.map((id) => node.get(id))),
      async setPhase(phase) {
        await pools.legacy.query("UPDATE flags SET phase = $1", [phase]);
      },
      async backfill(limit) {
        const { copied } = await flags();
        const { rows } = await pools.legacy.query<Row & { id: string }>(
          `SELECT id, ${legacyDialect.columns} FROM accounts a ORDER BY id LIMIT $1 OFFSET $2`,
          [limit, copied],
        );
        for (const row of rows) await put("modern", legacyDialect.parse(row.id, row));
        await pools.legacy.query("UPDATE flags SET copied = copied + $1", [rows.length]);
        return { done: rows.length < limit };
      },
      async verify() {
        const [here, there] = [await count("legacy"), await count("modern")];
        if (here !== there) throw new Error(`Count mismatch: ${here} and ${there}.`);
        return { compared: here, missing: [], surplus: [], differing: [] };
      },
      async status() {
        return {
          phase: (await flags()).phase,
          pending: 0,
          shadow: { compared: 1, mismatches: [] },
        };
      },
      async close() {
        await Promise.all([pools.legacy.end(), pools.modern.end()]);
      },
    };
    return node;
  },
} satisfies Submission;

/** What the two tables are, what they hold, and what that means: the grader's own reading of the contract. */
import pg from "pg";
import type { Account, StoreName } from "../contract.ts";
import type { MigrationContext } from "./kit.ts";

const tables: Readonly<Record<StoreName, string>> = {
  legacy: `CREATE TABLE accounts (
    id text PRIMARY KEY, email text, cents text, closed_on text, updated_at timestamptz)`,
  modern: `CREATE TABLE accounts (
    id text PRIMARY KEY, email text NOT NULL, balance_cents bigint NOT NULL, closed_on date)`,
};

export type Accounts = ReadonlyMap<string, Account>;

/** All that is asked of a check's context here: the demo has no other. */
export type Setting = Pick<MigrationContext, "random"> & {
  lease(store: StoreName): Pick<ReturnType<MigrationContext["lease"]>, "adminUrl">;
};

/** @param onLost a server was killed, or ends what a check left open when its leases are given back */
async function connect(url: string, onLost = () => {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", onLost);
  await client.connect();
  return client;
}

/** The table that is there before `migrate` is called. */
export async function createTable(name: StoreName, url: string): Promise<void> {
  const client = await connect(url);
  await client.query(tables[name]);
  await client.end();
}

/** The grader's own connections of a check, for as long as they hold. */
const connections = new WeakMap<Setting, Map<StoreName, Promise<pg.Client>>>();

/** With full rights, past all proxies. */
export async function sql(t: Setting, store: StoreName, text: string, values: unknown[] = []) {
  const known = connections.get(t) ?? new Map<StoreName, Promise<pg.Client>>();
  connections.set(t, known);
  const forget = () => known.delete(store);
  const connection = known.get(store) ?? connect(t.lease(store).adminUrl, forget);
  known.set(store, connection);
  connection.catch(forget);
  return (await connection).query(text, values);
}

/** Large enough for most; what doesn't fit into 32 bits, or just so into a double, is an amount, too. */
const most = [900_000, 900_000, 900_000, 2 ** 40, Number.MAX_SAFE_INTEGER - 10];

/** Of the contract's whole alphabet, short and as long as can be. */
function someId(t: Setting): string {
  const begin = t.random.pick(["acc-", "Acc-", "ACC-", "-", String(t.random.int(0, 9)), ""]);
  const length = t.random.int(0, 9) === 0 ? 40 - begin.length : 10;
  return begin + t.random.word(length);
}

/** Something for `create`, different in every run. */
export function someAccount(t: Setting, id = someId(t)): Account {
  const limit = t.random.pick(most);
  return {
    id,
    email: `${t.random.word()}@example.org`,
    balanceCents: Math.round((t.random.int(-1_000_000, 1_000_000) / 1_000_000) * limit),
    closedOn: t.random.int(0, 2) === 0 ? someDate(t) : null,
  };
}

/** Any day, the last ones of months and years included. */
export function someDate(t: Setting): string {
  const day = Date.UTC(t.random.int(1999, 2030), t.random.int(0, 11), t.random.int(1, 31));
  return new Date(day).toISOString().slice(0, 10);
}

/** Rows as they came about in the old application, past the submission. */
export async function seedLegacy(t: Setting, count: number): Promise<Map<string, Account>> {
  const accounts = Array.from({ length: count }, () => someAccount(t));
  const columns = accounts.map((account) => oldWriting(t, account));
  await sql(
    t,
    "legacy",
    `INSERT INTO accounts (id, email, cents, closed_on, updated_at)
     SELECT i.*, CASE WHEN random() < 0.5 THEN now() - random() * interval '9 years' END
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS i`,
    [accounts.map(({ id }) => id), ...[0, 1, 2].map((at) => columns.map((each) => each[at]))],
  );
  return new Map(accounts.map((account) => [account.id, account]));
}

/** One of the ways in which the old application may have written that. */
function oldWriting(t: Setting, { email, balanceCents, closedOn }: Account) {
  const odd = [...email].map((letter) =>
    t.random.int(0, 2) === 0 ? letter.toUpperCase() : letter,
  );
  const digits = String(Math.abs(balanceCents));
  const sign = balanceCents < 0 ? "-" : t.random.pick(["", "+"]);
  return [
    t.random.pick(["", " "]) + odd.join("") + t.random.pick(["", "  "]),
    sign + t.random.pick(["", "00"]) + digits,
    closedOn?.split("-").reverse().join(".") ?? t.random.pick(["", null]),
  ];
}

/** What the rows of a store mean; of modern's, what they say to the letter. */
export async function accountsIn(t: Setting, store: StoreName): Promise<Accounts> {
  const text = {
    legacy: "SELECT id, email, cents, closed_on FROM accounts",
    modern: "SELECT id, email, balance_cents::text AS cents, closed_on::text FROM accounts",
  };
  const { rows } = await sql(t, store, text[store]);
  return new Map(
    rows.map((row) => [row.id, store === "legacy" ? fromLegacy(row) : fromModern(row)]),
  );
}

interface Row {
  readonly id: string;
  readonly email: string | null;
  readonly cents: string | null;
  readonly closed_on: string | null;
}

function fromModern({ id, email, cents, closed_on }: Row): Account {
  return { id, email: email ?? "", balanceCents: Number(cents), closedOn: closed_on };
}

function fromLegacy({ id, email, cents, closed_on }: Row): Account {
  return {
    id,
    email: (email ?? "").trim().toLowerCase(),
    // What isn't an integer as text is no amount to legacy's readers.
    balanceCents: /^[+-]?\d+$/.test(cents ?? "") ? Number(cents) : Number.NaN,
    closedOn: closed_on?.trim() ? fromOldDate(closed_on.trim()) : null,
  };
}

/** What isn't `31.01.2026` is no date to legacy's readers. */
function fromOldDate(text: string): string {
  const [, day, month, year] = /^(\d\d)\.(\d\d)\.(\d{4})$/.exec(text) ?? [];
  return day === undefined ? `no date: ${text}` : `${year}-${month}-${day}`;
}

/** In words, what of the expected accounts is otherwise in a store; empty when nothing is. */
export function differences(found: Accounts, expected: Accounts): string[] {
  const say = (account: Account | undefined) =>
    account ? `${account.email} ${account.balanceCents} ${account.closedOn ?? "open"}` : "no row";
  return [...new Set([...found.keys(), ...expected.keys()])]
    .map((id) => [id, say(found.get(id)), say(expected.get(id))] as const)
    .filter(([, has, wanted]) => has !== wanted)
    .map(([id, has, wanted]) => `${id}: ${has}, instead of ${wanted}`);
}

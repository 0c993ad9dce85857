import type { Account, StoreName } from "../../contract.ts";

/** The columns of either store, as text. */
export interface Columns {
  email: string | null;
  cents: string | null;
  closed_on: string | null;
}

export function meant(store: StoreName, id: string, row: Columns): Account {
  if (store === "modern") {
    return { id, email: row.email ?? "", balanceCents: Number(row.cents), closedOn: row.closed_on };
  }
  const balanceCents = Number((row.cents ?? "").trim()) + 0;
  if (!Number.isSafeInteger(balanceCents))
    throw new Error(`account ${id}: no amount: ${row.cents}`);
  const day = (row.closed_on ?? "").trim();
  const parts = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(day);
  if (day !== "" && parts === null) throw new Error(`account ${id}: no date: ${day}`);
  return {
    id,
    email: (row.email ?? "").trim().toLowerCase(),
    balanceCents,
    closedOn:
      parts === null
        ? null
        : `${parts[3]}-${parts[2]?.padStart(2, "0")}-${parts[1]?.padStart(2, "0")}`,
  };
}

/** What to write, only what is given. */
export function columns(store: StoreName, a: Partial<Account>): Partial<Columns> {
  const c: Partial<Columns> = {};
  if (a.email !== undefined) c.email = a.email.trim().toLowerCase();
  if (a.balanceCents !== undefined) c.cents = String(a.balanceCents);
  if (a.closedOn !== undefined) {
    c.closed_on =
      a.closedOn === null || store === "modern"
        ? a.closedOn
        : a.closedOn.split("-").reverse().join(".");
  }
  return c;
}

export const same = (a: Account | null, b: Account | null) =>
  a === null || b === null
    ? a === b
    : a.email === b.email && a.balanceCents === b.balanceCents && a.closedOn === b.closedOn;

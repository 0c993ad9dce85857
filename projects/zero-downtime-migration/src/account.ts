/** What an account means, whichever store it stands in: the only place where rows are translated. */
import { z } from "zod";
import type { Account } from "../contract.ts";

const email = z.string().trim().toLowerCase();
const closedOn = z.iso.date().nullable();
const schema = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{1,40}$/),
  email,
  balanceCents: z.int(),
  closedOn,
});
const changeSchema = schema.omit({ id: true }).partial();

/** @throws ZodError */
export const parseAccount = (input: Account): Account => schema.parse(input);
/** @throws ZodError */
export function parseChange(input: Partial<Account>): Partial<Account> {
  const given = Object.entries(changeSchema.parse(input)).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given);
}

/** The columns of either store as text, so that no driver makes local midnights of dates. */
export interface Row {
  readonly email: string | null;
  readonly cents: string | null;
  readonly closed_on: string | null;
}

export type Values = readonly [email: string, cents: string, closedOn: string | null];

/** One store's way to write an account down. */
export interface Dialect {
  /** SQL that selects a {@link Row} of `a`, the accounts table. */
  readonly columns: string;
  /** The columns that {@link Values} go into, and how each is written there. */
  readonly targets: readonly [email: string, cents: string, closedOn: string];
  readonly casts: readonly [email: string, cents: string, closedOn: string];
  /** A last column that says when, where there is one. */
  readonly stamp?: string;
  parse(id: string, row: Row): Account;
  values(account: Account): Values;
}

export const legacyDialect: Dialect = {
  columns: "a.email, a.cents, a.closed_on",
  targets: ["email", "cents", "closed_on"],
  casts: ["text", "text", "text"],
  stamp: "updated_at",
  parse: (id, row) => ({
    id,
    email: email.parse(row.email ?? ""),
    balanceCents: Number(row.cents?.trim() || 0),
    closedOn: row.closed_on?.trim() ? row.closed_on.trim().split(".").reverse().join("-") : null,
  }),
  values: (account) => [
    account.email,
    String(account.balanceCents),
    account.closedOn?.split("-").reverse().join(".") ?? null,
  ],
};

export const modernDialect: Dialect = {
  columns: "a.email, a.balance_cents::text AS cents, a.closed_on::text",
  targets: ["email", "balance_cents", "closed_on"],
  casts: ["text", "bigint", "date"],
  parse: (id, row) => ({
    id,
    email: row.email ?? "",
    balanceCents: Number(row.cents),
    closedOn: row.closed_on,
  }),
  values: (account) => [account.email, String(account.balanceCents), account.closedOn],
};

export function isSame(a: Account | null, b: Account | null): boolean {
  if (!a || !b) return a === b;
  return (
    a.id === b.id &&
    a.email === b.email &&
    a.balanceCents === b.balanceCents &&
    a.closedOn === b.closedOn
  );
}

/** What follows from the facts of payments, in the order in which they were added. */
import type { EventType, Payment } from "../../contract.ts";

export interface Fact {
  readonly event: string;
  readonly type: EventType;
  readonly payment: string;
  readonly order: string;
  readonly amount: string;
  readonly currency: string;
}

export interface Account extends Payment {
  readonly currency: string | undefined;
  /** Ids of events whose refunds the payment can't bear. */
  readonly refused: readonly string[];
}

/** @param facts of one payment, at least one */
export function accountOf(id: string, facts: readonly Fact[]): Account {
  const capture = facts.find(({ type }) => type === "payment.captured");
  const captured = BigInt(capture?.amount ?? 0);
  const refused: string[] = [];
  let refunded = 0n;
  // In two groups: those that came before the capture were settled when that came, in their order.
  for (const refund of facts.filter(({ type }) => type === "payment.refunded")) {
    if (!capture) continue;
    const fits =
      refund.currency === capture.currency && refunded + BigInt(refund.amount) <= captured;
    if (fits) refunded += BigInt(refund.amount);
    else refused.push(refund.event);
  }
  const has = (type: EventType) => facts.some((fact) => fact.type === type);
  const credited = captured === refunded ? "refunded" : "captured";
  const before = has("payment.authorized") ? "authorized" : "pending";
  const known = capture ? credited : before;
  return {
    id,
    order: facts[0]?.order ?? "",
    state: has("payment.disputed") ? "disputed" : known,
    captured,
    refunded,
    currency: capture?.currency,
    refused,
  };
}

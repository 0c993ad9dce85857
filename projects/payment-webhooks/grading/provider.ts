/** The payment provider, as far as a node can tell. */
import { createHmac } from "node:crypto";
import type { Random } from "@db-katas/grading";
import type { EventType, WebhookEvent, WebhookRequest } from "../contract.ts";

/** Whatever draws; a check's context does. */
interface Drawing {
  readonly random: Random;
}

export interface Signing {
  /** Each of them signs. */
  readonly secrets: readonly string[];
  /** Milliseconds since the epoch; default: now. */
  readonly at?: number;
}

export function digestOf(secret: string, time: string, body: Uint8Array): string {
  return createHmac("sha256", secret).update(`${time}.`).update(body).digest("hex");
}

export function signatureOf(body: Uint8Array, { secrets, at = Date.now() }: Signing): string {
  const time = String(Math.floor(at / 1_000));
  return [`t=${time}`, ...secrets.map((secret) => `v1=${digestOf(secret, time, body)}`)].join(",");
}

export function requestWith(signature: string, rawBody: Uint8Array): WebhookRequest {
  const headers = { "content-type": "application/json", "webhook-signature": signature };
  return { headers, rawBody };
}

/** A delivery of these bytes. */
export function signed(body: Uint8Array, signing: Signing): WebhookRequest {
  return requestWith(signatureOf(body, signing), body);
}

export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

/** One payment, and everything that may be told of it. */
export class Purchase {
  readonly payment: string;
  readonly order: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly #t: Drawing;
  readonly #capture: string;

  /** @param amount in minor units */
  constructor(
    t: Drawing,
    amount = BigInt(t.random.int(1_000, 99_999)),
    currency = "EUR",
    order = `ord_${t.random.word(8)}`,
  ) {
    this.#t = t;
    this.payment = `pay_${t.random.word(12)}`;
    this.order = order;
    this.#capture = `cap_${t.random.word(12)}`;
    this.amount = amount;
    this.currency = currency;
  }

  /** Another payment, of that order. */
  ofOrder(order: string): Purchase {
    return new Purchase(this.#t, this.amount, this.currency, order);
  }

  authorized(): WebhookEvent {
    return this.#event("payment.authorized", `aut_${this.#t.random.word(12)}`, this.amount);
  }

  /** Called again: another notification of the same capture. */
  captured(): WebhookEvent {
    return this.#event("payment.captured", this.#capture, this.amount);
  }

  refunded(amount: bigint): WebhookEvent {
    return this.#event("payment.refunded", `ref_${this.#t.random.word(12)}`, amount);
  }

  disputed(): WebhookEvent {
    return this.#event("payment.disputed", `dsp_${this.#t.random.word(12)}`, this.amount);
  }

  #event(type: EventType, subject: string, amount: bigint): WebhookEvent {
    return {
      id: `evt_${this.#t.random.word(16)}`,
      type,
      created: Math.floor(Date.now() / 1_000),
      payment: this.payment,
      subject,
      order: this.order,
      amount: String(amount),
      currency: this.currency,
    };
  }
}

/** Another notification of the same thing: only its id is new. */
export function retold(t: Drawing, event: WebhookEvent): WebhookEvent {
  return { ...event, id: `evt_${t.random.word(16)}` };
}

/**
 * What a submission implements: the one thing that grader and submission share. Types only.
 *
 * A submission is a folder whose `index.ts` default-exports an object that `satisfies Submission`. The
 * grader starts every app node as a process of its own and calls it over RPC, so arguments and results
 * are structured-clonable.
 */

export interface NodeConfig {
  /** Unique among the nodes that share the stores: `"a"`, `"b"`. One that is started again has it again. */
  readonly name: string;
  /** `postgres://…`, this node's own address. What was recorded is recorded here. */
  readonly postgres: string;
  /**
   * `redis://…`, this node's own address. Use it for what you like, or not at all. It may hang, die,
   * come back empty: nothing is lost by it, nothing is done twice, and while it hangs a call waits for it
   * for a tenth of its budget at most.
   */
  readonly redis: string;
  /** In force at the same time, one or two of them: while one replaces the other, both sign. */
  readonly signingSecrets: readonly string[];
  /** How far a signature's time may be from this node's clock, either way, in seconds. */
  readonly toleranceSeconds: number;
  /** The longest that a call may take, in milliseconds. */
  readonly requestBudgetMs: number;
}

/** A delivery, as it came over HTTP. */
export interface WebhookRequest {
  /**
   * Names in lower case. `webhook-signature` is `t=<seconds since the epoch>,v1=<hex>[,v1=<hex>…]`; each
   * `v1` is HMAC-SHA256, with one of the provider's secrets, over `<t>.` and the bytes of the body. One
   * that fits is enough. Whatever else stands there (no `t`, another `t`, digests cut or lengthened) is
   * no signature. Names of other schemes (`v0=…`) may stand there as well: ignore them.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The very bytes that were signed: JSON, mostly, in UTF-8, mostly. */
  readonly rawBody: Uint8Array;
}

/**
 * - `200`: recorded durably, now or before. The provider will not send it again.
 * - `401`: not signed by the provider, or too long ago. Nothing was recorded.
 * - `503`: could not be recorded in time. The provider will send it again.
 */
export interface WebhookResponse {
  readonly status: 200 | 401 | 503;
}

/**
 * What the body says. `id`, `payment`, `subject` and `order` are texts of 1 to 100 characters, none of them
 * a control character. The provider adds fields as it likes; a reader ignores what it doesn't
 * know.
 */
export interface WebhookEvent {
  /**
   * Of this notification; the same when it is sent again, though other fields may then differ
   * (`attempt`, the order of keys).
   */
  readonly id: string;
  /** Of the four below; others are none of our business and answered with 200. */
  readonly type: EventType | (string & {});
  /** When, by the provider's clock, in whole seconds since the epoch: it orders nothing. */
  readonly created: number;
  readonly payment: string;
  /**
   * What it tells of: this authorization, capture, refund or dispute. Two notifications with different
   * ids but the same type and subject tell of the same thing: it happened once.
   */
  readonly subject: string;
  /** What was bought. The same in all events of a payment. */
  readonly order: string;
  /**
   * In minor units (cents), in decimal digits without a leading zero: from `1` up to 17 digits. 17 digits are more than a
   * double holds.
   */
  readonly amount: string;
  /** Three capital letters. */
  readonly currency: string;
}

/** A payment is authorized once, captured once, disputed once at most, and refunded in parts. */
export type EventType =
  | "payment.authorized"
  | "payment.captured"
  | "payment.refunded"
  | "payment.disputed";

/**
 * By what is known of it, in whatever order that came: `disputed` when there was a dispute, else
 * `refunded` when refunds make up all that was captured, else `captured`, else `authorized`, else
 * `pending` (a refund came before everything else).
 */
export type PaymentState = "pending" | "authorized" | "captured" | "refunded" | "disputed";

export interface Payment {
  readonly id: string;
  readonly order: string;
  readonly state: PaymentState;
  /** What was credited, in minor units; 0n before the capture. */
  readonly captured: bigint;
  /** What of it was given back. Never more than `captured`: a refund that comes first waits. */
  readonly refunded: bigint;
}

/** Tells the warehouse to ship an order. There is one for each captured payment. */
export interface Fulfilment {
  /** Always the same for the same payment, so that the warehouse can tell that it has it already. */
  readonly id: string;
  readonly payment: string;
  readonly order: string;
}

/** A genuine event that can never be applied. */
export interface Quarantined {
  /** `null` where the body doesn't tell. */
  readonly eventId: string | null;
  /** For people. */
  readonly reason: string;
}

/**
 * One app node. Whoever reads after a 200, on any node, sees what it acknowledged. Where PostgreSQL gives
 * no answer in time, `receive` answers 503 and every other call rejects with the code
 * `STORE_UNAVAILABLE`.
 */
export interface WebhookNode {
  /**
   * Takes a delivery. Events come more than once, out of order, at the same moment, on any node, and
   * again after anything but a 200.
   *
   * Genuine, but never to be applied: a body that isn't JSON, or lacks what an event of the four types
   * needs; a refund in another currency than the capture; a refund that, with those accepted before,
   * exceeds what was captured (which of too many waiting ones fit may depend on their order). Sending it
   * again changes nothing, so the answer is 200, and it is put aside for people to look at: once for each
   * event id, whatever the other bytes; without an id once for the same bytes; a refund that is told again
   * under another id is not put aside again. A body in which some bytes are no UTF-8 may be applied or put
   * aside. `created` need not be there.
   */
  receive(request: WebhookRequest): Promise<WebhookResponse>;

  /** What is known of a payment; null when no event of it was applied or waits. */
  payment(id: string): Promise<Payment | null>;

  /** All that was captured minus all that was refunded in that currency, in minor units, however much. */
  balance(currency: string): Promise<bigint>;

  /**
   * What was not yet confirmed, the oldest first. Reading it changes nothing: who asks may die before the
   * warehouse knows.
   */
  fulfilments(limit: number): Promise<readonly Fulfilment[]>;

  /** The warehouse has it: it is never offered again. Neither twice nor an unknown id is an error. */
  confirm(fulfilmentId: string): Promise<void>;

  /** All that was put aside. */
  quarantined(): Promise<readonly Quarantined[]>;

  /**
   * Lets those that were called before finish as if nobody closed, and then lets go of every connection,
   * within the budget.
   */
  close(): Promise<void>;
}

export interface Submission {
  /**
   * Brings a PostgreSQL database to what `createNode` needs. Called before any node is created, and
   * again with each deployment, while nodes are at work: what is there stays as it is, and where there is
   * nothing to do no call waits for it for longer than a second.
   */
  migrate(postgres: string): Promise<void>;
  /** Resolves within 3 s, whether or not Redis is there. */
  createNode(config: NodeConfig): Promise<WebhookNode>;
}

/** What somebody does next: draws, mostly, and pays. */
import type { Random } from "@db-katas/grading";
import type { Actor, DocumentId, Edit, Replica, View } from "../../contract.ts";
import { editFor } from "../../grading/simulation/people.ts";

export const TREASURER: Actor = "treasury";
/** Everybody who makes changes; the treasurer draws as well. */
export const ACTORS: readonly Actor[] = [TREASURER, "ada", "bob", "cleo"];

const ACCOUNTS = ["till", "kitty", "bank"] as const;
const ISSUED_AT_FIRST = 1_000;
const LENT_AT_FIRST = 200;
const MOST_ISSUED_LATER = 50;
/** Of a hundred changes, how many have to do with money, and how many take something back. */
const MONEY = 30;
const UNDONE = 8;
/** More than the numbers that a change of the board uses. */
const PICKS = 5;
const CHOICES = 1_000_000;

export interface Doer {
  readonly actor: Actor;
  readonly replica: Replica;
  readonly document: DocumentId;
  readonly random: Random;
  /** Which change of this actor's it will be. */
  readonly nth: number;
}

/** @throws where there is less than nothing on an account */
export async function nextEdits(doer: Doer): Promise<readonly Edit[] | "undo"> {
  const { actor, replica, document, random, nth } = doer;
  const view = await replica.view(document);
  assertNoDebts(view, actor);
  if (actor === TREASURER && nth === 1) return first();
  const dice = random.int(0, 99);
  if (dice < UNDONE) return "undo";
  const paid = dice < UNDONE + MONEY ? await payment(doer) : null;
  if (paid) return [paid];
  const pick = Array.from({ length: PICKS }, () => random.int(0, CHOICES));
  return [editFor(view, `${actor}-${nth}`, pick, actor)];
}

/** @throws where there is less than nothing on an account */
export function assertNoDebts({ balances }: View, actor: Actor): void {
  for (const [account, balance] of Object.entries(balances)) {
    if (balance < 0) throw new Error(`${actor} sees ${balance} on ${account}`);
  }
}

function first(): Edit[] {
  const others = ACTORS.filter((actor) => actor !== TREASURER);
  return [
    { kind: "issue", account: ACCOUNTS[0], amount: ISSUED_AT_FIRST },
    ...others.map(
      (to): Edit => ({ kind: "lend", account: ACCOUNTS[0], to, amount: LENT_AT_FIRST }),
    ),
  ];
}

/** @returns null where this one has no right to anything */
async function payment({ actor, replica, document, random }: Doer): Promise<Edit | null> {
  if (actor === TREASURER && random.int(0, 3) === 0) {
    return {
      kind: "issue",
      account: random.pick(ACCOUNTS),
      amount: random.int(1, MOST_ISSUED_LATER),
    };
  }
  const [from = "", to = ""] = random.shuffle(ACCOUNTS);
  const right = await replica.escrow(document, from);
  if (right < 1) return null;
  const amount = random.int(1, right);
  if (random.int(0, 1) === 0) return { kind: "transfer", from, to, amount };
  const others = ACTORS.filter((other) => other !== actor);
  return { kind: "lend", account: from, to: random.pick(others), amount };
}

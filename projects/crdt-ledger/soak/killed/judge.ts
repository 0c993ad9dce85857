/** What must be true of a document when all that was killed is alive again. */
import type { DocumentId, Version, View } from "../../contract.ts";
import type { Cluster, Row } from "./cluster.ts";
import { assertNoDebts } from "./doings.ts";
import type { Person } from "./person.ts";

/** Of what differs, in characters. */
const SHOWN = 60;

/**
 * What was acknowledged is in the log, each once, and the log is whole.
 * @param newcomer somebody who came when all was over, with nothing, and was told all there is
 * @returns what is wrong, for people
 */
export async function judgeLog(
  cluster: Cluster,
  document: DocumentId,
  { people, newcomer }: { readonly people: readonly Person[]; readonly newcomer: Person },
): Promise<string[]> {
  const version = await newcomer.version();
  const rows = await cluster.rowsOf(document);
  const wrong = [...lost(people, version), ...misplaced(rows, people)];
  const all = Object.values(version).reduce((sum, seq) => sum + seq, 0);
  const end = rows.at(-1)?.position ?? 0;
  if (end !== all) wrong.push(`the log ends at position ${end}, and has ${all} changes`);
  for (const server of cluster.servers) {
    const altered = await server.ask("verifyLog", document);
    if (altered !== null)
      wrong.push(`${server.name}'s verifyLog finds position ${altered} altered`);
  }
  return wrong;
}

/** All see the same, and the money that was issued. @returns what is wrong, for people */
export async function judgeViews(everybody: readonly Person[], issued: number): Promise<string[]> {
  const wrong: string[] = [];
  const views = await Promise.all(everybody.map((person) => person.view()));
  const [first, ...others] = views.map(canonical);
  for (const [i, other] of others.entries()) {
    if (other === first) continue;
    const [one, another] = [everybody[0]?.actor, everybody[i + 1]?.actor];
    wrong.push(`${one} and ${another} see different boards: ${difference(first ?? "", other)}`);
  }
  const [view] = views as [View];
  const sum = Object.values(view.balances).reduce((total, balance) => total + balance, 0);
  if (sum !== issued) wrong.push(`${issued} were issued, and ${sum} are there`);
  assertNoDebts(view, "everybody");
  return wrong;
}

function lost(people: readonly Person[], version: Version): string[] {
  return people.flatMap(({ actor, acked }) => {
    const stored = version[actor] ?? 0;
    if (stored >= acked) return [];
    return [`${actor}'s changes ${stored + 1} to ${acked} were acknowledged, and are lost`];
  });
}

/** Rows that are there twice, not where they should be, or not as they were pushed. */
function misplaced(rows: readonly Row[], people: readonly Person[]): string[] {
  const wrong: string[] = [];
  const seen = new Set<string>();
  const from = rows[0]?.position ?? 0;
  for (const [i, { position, actor, seq, bytes }] of rows.entries()) {
    const name = `${actor}'s change ${seq}`;
    if (seen.has(name)) wrong.push(`${name} is in the log twice`);
    seen.add(name);
    if (position !== from + i) wrong.push(`position ${position} stands where ${from + i} should`);
    const made = people.find((person) => person.actor === actor)?.made[seq - 1];
    if (!made || !bytes.equals(made.bytes)) wrong.push(`${name} is in the log with other bytes`);
  }
  return wrong;
}

/** The same for equal views, to the byte. */
function canonical(view: View): string {
  const accounts = Object.entries(view.balances).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([view.shapes, accounts]);
}

function difference(one: string, other: string): string {
  let at = 0;
  while (one[at] === other[at] && at < one.length) at += 1;
  const around = (text: string) => text.slice(Math.max(0, at - SHOWN / 2), at + SHOWN / 2);
  return `…${around(one)}… and …${around(other)}…`;
}

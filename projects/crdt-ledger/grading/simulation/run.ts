/** Runs a schedule on replicas, on a document of its own, and looks what came of it. */
import { randomFrom, SubmissionError } from "@db-katas/grading";
import type { Change, DocumentId, Edit, Replica, ShapeId, View } from "../../contract.ts";
import { allShapes, idsOf, outline } from "../kit.ts";
import { editFor } from "./people.ts";
import type { Event } from "./schedule.ts";

export interface Person {
  readonly name: string;
  readonly replica: Replica;
}

export interface Failure {
  readonly what: string;
  readonly expected: string;
  readonly received: string;
  /** Who did what, and what came to whom, a line each. */
  readonly story: readonly string[];
}

interface Copy extends Person {
  /** What has not come yet. */
  queue: Change[];
  readonly came: Change[];
  /** Its edits that aren't taken back. */
  readonly done: Edit[];
  /** The shapes that it can know of. */
  readonly told: Set<ShapeId>;
}

/** @param seed decides in which order all comes at the end */
export async function run(
  people: readonly Person[],
  document: DocumentId,
  schedule: readonly Event[],
  seed: number,
): Promise<Failure | undefined> {
  const story: string[] = [];
  const copies = people.map(
    (person): Copy => ({ ...person, queue: [], came: [], done: [], told: new Set() }),
  );
  /** How many have deleted a shape and not undone it: one is enough. */
  const deletions = new Map<ShapeId, number>();
  const added = new Set<ShapeId>();
  const addedBy = new Map<Change, ShapeId>();
  const deleted = (shape: ShapeId, times: 1 | -1) =>
    deletions.set(shape, (deletions.get(shape) ?? 0) + times);
  const failed = (what: string, expected: string, received: string) => ({
    ...{ what, expected, received, story },
  });
  const publish = (from: Copy, change: Change) => {
    for (const other of copies) if (other !== from) other.queue.push(change);
  };
  const deliver = async (to: Copy, changes: readonly Change[]) => {
    if (changes.length === 0) return;
    to.queue = to.queue.filter((change) => !changes.includes(change));
    to.came.push(...changes);
    story.push(`${to.name} <- ${changes.map(({ actor, seq }) => `${actor}:${seq}`).join(" ")}`);
    for (const change of changes) to.told.add(addedBy.get(change) ?? "");
    await to.replica.receive(document, changes);
  };
  try {
    for (const event of schedule) {
      const copy = copies["who" in event ? event.who : event.to] as Copy;
      const { name, replica } = copy;
      if (event.kind === "edit") {
        const view = await replica.view(document);
        const unheard = idsOf(allShapes(view.shapes)).find((id) => !copy.told.has(id));
        if (unheard) {
          const what = "nobody sees what nobody has told them";
          return failed(what, `no ${unheard} on ${name}'s board`, outline(view.shapes));
        }
        const edit = editFor(view, `s-${event.nth}`, event.pick, name);
        const change = await replica.edit(document, [edit]);
        story.push(`${name}:${change.seq} ${told(edit)}`);
        copy.done.push(edit);
        if (edit.kind === "add") {
          added.add(edit.shape);
          copy.told.add(edit.shape);
          addedBy.set(change, edit.shape);
        }
        if (edit.kind === "delete") deleted(edit.shape, 1);
        publish(copy, change);
      } else if (event.kind === "undo") {
        const change = await replica.undo(document);
        const edit = copy.done.pop();
        if (!change || !edit) continue;
        story.push(`${name}:${change.seq} undoes: ${told(edit)}`);
        if (edit.kind === "add") deleted(edit.shape, 1);
        if (edit.kind === "delete") deleted(edit.shape, -1);
        publish(copy, change);
      } else if (event.kind === "deliver") {
        await deliver(copy, [...new Set(event.picks.flatMap((pick) => at(copy.queue, pick)))]);
      } else if (event.kind === "load") {
        const from = copies[event.from] as Copy;
        story.push(`${name} loads what ${from.name} has saved`);
        for (const shape of from.told) copy.told.add(shape);
        await replica.load(document, await from.replica.save(document));
      } else {
        await deliver(copy, at(copy.came, event.pick));
      }
    }
    story.push("everything comes to everybody");
    for (const copy of copies) await deliver(copy, randomFrom(seed).shuffle(copy.queue));
  } catch (error) {
    if (!(error instanceof SubmissionError)) throw error;
    const what =
      "whatever can be done where somebody sees it, can be done, and sound changes are taken";
    return failed(what, "no error", `${error.code}: ${error.message}`);
  }
  const views = await Promise.all(copies.map(({ replica }) => replica.view(document)));
  const gone = new Set<ShapeId>();
  for (const [shape, times] of deletions) if (times > 0) gone.add(shape);
  return compared(copies, views, { added, gone }, failed);
}

function compared(
  copies: readonly Copy[],
  views: readonly View[],
  { added, gone }: { added: ReadonlySet<ShapeId>; gone: ReadonlySet<ShapeId> },
  failed: (what: string, expected: string, received: string) => Failure,
): Failure | undefined {
  const [first] = views as [View];
  for (const [i, view] of views.entries()) {
    if (JSON.stringify(sorted(view)) === JSON.stringify(sorted(first))) continue;
    const seen = (name: string | undefined, of: View) => `${name} sees ${told(of)}`;
    const what = "who has the same changes sees the same";
    return failed(what, seen(copies[0]?.name, first), seen(copies[i]?.name, view));
  }
  const ids = idsOf(allShapes(first.shapes));
  const board = outline(first.shapes);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice) return failed("each shape is on the board once", `one ${twice}`, board);
  const back = ids.find((id) => gone.has(id));
  if (back) return failed("what is deleted stays deleted", `no ${back}`, board);
  if (gone.size > 0) return;
  const lost = [...added].find((id) => !ids.includes(id));
  if (lost) return failed("where nothing is deleted, nothing is lost", `${lost} is there`, board);
}

function at<T>(list: readonly T[], pick: number): T[] {
  const found = list[pick % Math.max(list.length, 1)];
  return found === undefined ? [] : [found];
}

function told(what: Edit | View): string {
  if ("shapes" in what) return JSON.stringify(sorted(what));
  const { kind, ...rest } = what;
  return `${kind} ${JSON.stringify(rest)}`;
}

/** The same text for the same content, in whatever order its fields come. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

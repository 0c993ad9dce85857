/** Three versions of a folder become one, and nothing that somebody wrote is lost. */
import { diffLines } from "diff";
import { isBinary } from "../files.ts";
import { mergeFile, type Sides } from "./merge-file.ts";
import { type Content, isSame, type Tree } from "./tree.ts";

/** What becomes of a file. */
export interface Outcome {
  readonly path: string;
  readonly state: "updated" | "merged" | "conflict" | "kept";
  /** What there is to say beyond that. */
  readonly note?: string;
}

export interface MergedTree {
  readonly outcomes: readonly Outcome[];
  /** Only what changes; undefined: it goes. */
  readonly changes: ReadonlyMap<string, Content | undefined>;
}

/** As git has it: less of a file than that in common, and it is another file. */
const ANOTHER = 0.5;

/**
 * @param base what the template was
 * @param yours what there is now
 * @param theirs what the template is
 */
export function mergeTrees(base: Tree, yours: Tree, theirs: Tree, sides: Sides): MergedTree {
  const outcomes: Outcome[] = [];
  const changes = new Map<string, Content | undefined>();
  const tell = (path: string, state: Outcome["state"], note?: string) =>
    outcomes.push({ path, state, ...(note !== undefined && { note }) });
  const beside = (path: string, content: Content) => {
    let place = `${path}.theirs`;
    while (yours.has(place) || changes.has(place)) place += "-2";
    changes.set(place, content);
    return place;
  };
  const yourNames = findRenames(base, yours, theirs);
  const theirNames = findRenames(base, theirs, yours);
  const renamedHere = new Set(theirNames.values());

  for (const [path, was] of base) {
    const yourPath = yours.has(path) ? path : (yourNames.get(path) ?? path);
    const theirPath = theirs.has(path) ? path : (theirNames.get(path) ?? path);
    const [mine, new_] = [yours.get(yourPath), theirs.get(theirPath)];
    if (mine && new_) both(path, was, [yourPath, mine], [theirPath, new_]);
    else if (mine && isSame(mine, was)) {
      changes.set(yourPath, undefined);
      tell(yourPath, "updated", `removed: it is no part of ${sides.theirs}`);
    } else if (mine) {
      tell(yourPath, "kept", `it is no part of ${sides.theirs}, but you have changed it`);
    } else if (new_ && !isSame(new_, was)) {
      const place = beside(theirPath, new_);
      tell(path, "conflict", `you have removed it, and it has changed: the new one is ${place}`);
    }
  }
  for (const [path, added] of theirs) {
    if (base.has(path) || renamedHere.has(path)) continue;
    const mine = yours.get(path);
    if (mine && !isSame(mine, added)) {
      tell(path, "conflict", `you have one of your own: the new one is ${beside(path, added)}`);
    } else if (!mine) {
      changes.set(path, added);
      tell(path, "updated", "new");
    }
  }
  return { outcomes: outcomes.sort((a, b) => (a.path < b.path ? -1 : 1)), changes };

  function both(
    path: string,
    was: Content,
    [yourPath, mine]: readonly [string, Content],
    [theirPath, new_]: readonly [string, Content],
  ): void {
    const target = yourPath === path ? theirPath : yourPath;
    const isMoved = target !== yourPath;
    if (isMoved && yours.has(target)) {
      const place = beside(target, new_);
      return void tell(yourPath, "conflict", `it is ${target} now, which you have: see ${place}`);
    }
    const note = isMoved ? `it was ${yourPath}` : undefined;
    const put = (content: Content) => {
      if (isMoved) changes.set(yourPath, undefined);
      if (isMoved || !isSame(content, mine)) changes.set(target, content);
    };
    if (isSame(mine, new_) || isSame(was, new_)) {
      if (isMoved) put(mine);
      if (isMoved) tell(target, "updated", note);
      else if (!isSame(mine, was) && !isSame(mine, new_)) tell(yourPath, "kept");
    } else if (isSame(mine, was)) {
      put(new_);
      tell(target, "updated", note);
    } else {
      const merged = mergeFile(path, was, mine, new_, sides);
      if (!merged) {
        if (isMoved) put(mine);
        return void tell(
          target,
          "conflict",
          `no text: yours stays, the new one is ${beside(target, new_)}`,
        );
      }
      put(merged.content);
      const conflicts = merged.conflicts.join("; ");
      tell(target, conflicts ? "conflict" : "merged", conflicts || note);
    }
  }
}

/** Where files of the base have gone on one side: to one that is new there, and much the same. */
export function findRenames(base: Tree, side: Tree, other: Tree): Map<string, string> {
  const found = new Map<string, string>();
  const gone = [...base].filter(([path]) => !side.has(path));
  const fresh = [...side].filter(([path]) => !base.has(path) && !other.has(path));
  for (const [path, was] of gone) {
    const taken = new Set(found.values());
    const [best] = fresh
      .filter(([to]) => !taken.has(to))
      .map(([to, is]) => ({ to, likeness: likenessOf(was.bytes, is.bytes) }))
      .sort((a, b) => b.likeness - a.likeness);
    if (best && best.likeness > ANOTHER) found.set(path, best.to);
  }
  return found;
}

/** Whether one has been written anew, rather than changed. */
export function isAnother(a: Content, b: Content): boolean {
  return likenessOf(a.bytes, b.bytes) <= ANOTHER;
}

/** The share of the longer one's text that is in lines of both. */
function likenessOf(a: Buffer, b: Buffer): number {
  if (a.equals(b)) return a.length === 0 ? 0 : 1;
  if (isBinary(a) || isBinary(b)) return 0;
  const [one, two] = [a, b].map((bytes) => bytes.toString("utf8").replaceAll("\r\n", "\n"));
  const common = diffLines(one ?? "", two ?? "")
    .filter(({ added, removed }) => !added && !removed)
    .reduce((sum, { value }) => sum + value.length, 0);
  return common / Math.max(one?.length ?? 0, two?.length ?? 0);
}

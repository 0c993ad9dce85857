import { isMap, isScalar, parseDocument, type YAMLMap } from "yaml";
import { type Block, replaceBlocks } from "./blocks.ts";
import { claimSchemas } from "./claim.ts";
import { parsePredicate } from "./parse-predicate.ts";
import { formatPredicate } from "./predicate.ts";

const LAST_MEASURED = "last-measured";
/** `last-measured` is the last one of all. */
const order = [
  ...new Set(
    Object.values(claimSchemas)
      .flatMap(({ shape }) => Object.keys(shape))
      .filter((name) => name !== LAST_MEASURED),
  ),
  LAST_MEASURED,
];

/** Puts fields in order and predicates in form; everything around them stays as it is. */
export function formatLog(markdown: string): string {
  return replaceBlocks(markdown, formatBlock);
}

/** @returns undefined where it can't be read */
function formatBlock({ text }: Block): string | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const map = document.contents as YAMLMap;
  const rank = (key: unknown): number => {
    const index = order.indexOf(isScalar(key) ? String(key.value) : "");
    return index < 0 ? order.length : index;
  };
  map.items.sort((one, other) => rank(one.key) - rank(other.key));
  const scalar = map.get("predicate", true);
  const predicate = isScalar(scalar) ? parsePredicate(String(scalar.value)) : undefined;
  if (isScalar(scalar) && predicate && "comparisons" in predicate) {
    scalar.value = formatPredicate(predicate);
  }
  return document.toString({ lineWidth: 0 }).trimEnd();
}

/**
 * Writes what was measured into a log's `last-measured` lines, and changes nothing else.
 * @param measured by the claims' ids; the others keep theirs
 */
export function setLastMeasured(markdown: string, measured: ReadonlyMap<string, string>): string {
  return replaceBlocks(markdown, ({ text }) => {
    const id = (parseDocument(text).toJS() as { id?: unknown } | null)?.id;
    const line = typeof id === "string" ? measured.get(id) : undefined;
    if (line === undefined) return undefined;
    const fresh = `${LAST_MEASURED}: ${JSON.stringify(line)}`;
    const lines = text.split("\n");
    const index = lines.findIndex((each) => each.startsWith(`${LAST_MEASURED}:`));
    return (index < 0 ? [...lines, fresh] : lines.with(index, fresh)).join("\n");
  });
}

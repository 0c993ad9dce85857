import { type Document, isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Block, findBlocks } from "./blocks.ts";
import { type Claim, type ClaimFields, claimSchemas, type Problem } from "./claim.ts";
import { parsePredicate } from "./parse-predicate.ts";

/** What a decision log claims, and what of it can't be read. */
export interface DecisionLog {
  readonly claims: readonly Claim[];
  readonly problems: readonly Problem[];
}

/** Reads the claims of a decision log. One that can't be read is a problem, and the others are there. */
export function parseLog(markdown: string): DecisionLog {
  const claims: Claim[] = [];
  const problems: Problem[] = [];
  for (const block of findBlocks(markdown)) {
    const found = parseBlock(block);
    if (!("fields" in found)) {
      problems.push(...found);
    } else if (claims.some(({ fields }) => fields.id === found.fields.id)) {
      const message = `another claim is called ${found.fields.id}; expected a unique id`;
      problems.push({ line: block.line, column: 1, message });
    } else {
      claims.push(found);
    }
  }
  return { claims, problems };
}

function parseBlock(block: Block): Claim | Problem[] {
  const counter = new LineCounter();
  const document = parseDocument(block.text, { lineCounter: counter });
  const placeOf = (offset: number) => {
    const { line, col } = counter.linePos(offset);
    const prefix = block.prefixes[line - 1]?.length ?? 0;
    return { line: block.line + line, column: prefix + Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return document.errors.map(({ pos, message }) => ({
      ...placeOf(pos[0]),
      message: `${message.split(/ at line \d/)[0]}; expected a field in each line, such as "id: reads-are-fast"`,
    }));
  }
  const written: unknown = document.toJS() ?? {};
  const evidence = evidenceOf(written);
  if (!evidence) {
    const names = Object.keys(claimSchemas);
    const message = isRecord(written)
      ? `the claim has no evidence; expected one of: ${names.join(", ")}`
      : 'expected a field in each line, such as "id: reads-are-fast"';
    return [{ line: block.line, column: 1, message }];
  }
  const schema = claimSchemas[evidence];
  const parsed = schema.safeParse(written);
  if (!parsed.success) {
    return parsed.error.issues.flatMap((issue) =>
      describeIssue(issue, evidence).map(({ path, message }) => {
        const offset = offsetOf(document, path);
        const place = offset === undefined ? { line: block.line, column: 1 } : placeOf(offset);
        return { ...place, message };
      }),
    );
  }
  const { entry } = block;
  const place = { line: block.line };
  const fields: ClaimFields = parsed.data;
  if ("checks" in fields) return { kind: "checked", fields, entry, place };
  if ("outside" in fields) return { kind: "outside", fields, entry, place };
  const predicateAt = placeOf(textOffset(document, "predicate"));
  const predicate = parsePredicate(fields.predicate);
  if ("expected" in predicate) {
    const { at, found, expected } = predicate;
    const message = `predicate: found ${found}; expected ${expected.join(", or ")}`;
    return [{ line: predicateAt.line, column: predicateAt.column + at, message }];
  }
  return {
    kind: "measured",
    fields,
    predicate,
    entry,
    place: { ...place, predicate: predicateAt },
  };
}

type Evidence = keyof typeof claimSchemas;

/** Which field says how the claim is put to the test: the first that is there. */
function evidenceOf(written: unknown): Evidence | undefined {
  const names = Object.keys(claimSchemas) as Evidence[];
  return isRecord(written) ? names.find((name) => name in written) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where a field's value begins, or its name where that is what is wrong. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  const value = document.getIn(path, true);
  if (isScalar(value) || isMap(value)) return value.range?.[0];
  const pairs = isMap(document.contents) ? document.contents.items : [];
  const pair = pairs.find(({ key }) => isScalar(key) && key.value === path[0]);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

function textOffset(document: Document, field: string): number {
  const value = document.get(field, true);
  if (!isScalar(value)) return 0;
  const quoted = value.type === "QUOTE_DOUBLE" || value.type === "QUOTE_SINGLE";
  return (value.range?.[0] ?? 0) + (quoted ? 1 : 0);
}

function describeIssue(
  issue: z.core.$ZodIssue,
  evidence: Evidence,
): { path: PropertyKey[]; message: string }[] {
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(claimSchemas[evidence].shape).join(", ");
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `a claim with "${evidence}" has no field "${key}"; expected one of: ${known}`,
    }));
  }
  const field = issue.path.map(String).join(".");
  if (
    issue.code === "invalid_type" &&
    issue.input === undefined &&
    issue.message.endsWith("undefined")
  ) {
    return [{ path: issue.path, message: `the claim has no ${field}; expected "${field}: …"` }];
  }
  return [{ path: issue.path, message: `${field}: ${issue.message}` }];
}

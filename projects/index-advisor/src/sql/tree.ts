/** PostgreSQL's own grammar, and what every walk over its trees needs. */
import type { Node } from "@pgsql/types";
import { loadModule, parseSync } from "libpg-query";
import { deparseSync } from "pgsql-deparser";

let loaded: Promise<void> | undefined;

/** To be awaited before anything is parsed; the grammar is loaded once per process. */
export function grammar(): Promise<void> {
  loaded ??= loadModule();
  return loaded;
}

/** One statement of a text. */
export interface Parsed {
  readonly node: Node;
  /** Without a semicolon. */
  readonly sql: string;
  /** Where it begins in what was parsed, in bytes: the tree counts from there. */
  readonly from: number;
}

/** @throws {Error} with the server's words for a syntax error */
export function statementsOf(sql: string): readonly Parsed[] {
  // Places count bytes.
  const bytes = Buffer.from(sql);
  return (parseSync(sql).stmts ?? []).flatMap(({ stmt, stmt_location: from = 0, stmt_len }) => {
    const text = bytes.subarray(from, stmt_len ? from + stmt_len : undefined).toString();
    const start = from + Buffer.byteLength(text) - Buffer.byteLength(text.trimStart());
    return stmt === undefined ? [] : [{ node: stmt, sql: text.trim(), from: start }];
  });
}

/** On one line. */
export function textOf(node: Node): string {
  return deparseSync(node, { pretty: false });
}

function isNode(value: object): value is Node {
  const [key, ...more] = Object.keys(value);
  return key !== undefined && more.length === 0 && /^[A-Z]/.test(key);
}

/** The nodes right below, in the order of the tree. */
export function* below(node: Node): Generator<Node> {
  for (const content of Object.values(node)) yield* nodesIn(content);
}

/** Some fields hold a struct without its name around it (a SELECT's arms, a cast's type): those are looked through. */
export function* nodesIn(content: unknown): Generator<Node> {
  if (typeof content !== "object" || content === null) return;
  for (const value of Array.isArray(content) ? content : Object.values(content)) {
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value) && isNode(value)) yield value;
    else yield* nodesIn(value);
  }
}

/** The node and all below it. */
export function* all(node: Node): Generator<Node> {
  yield node;
  for (const child of below(node)) yield* all(child);
}

/** The texts of a list of `String` nodes: of a qualified name, of an operator. */
export function names(nodes: readonly Node[] = []): readonly string[] {
  return nodes.flatMap((node) => ("String" in node ? [node.String.sval ?? ""] : []));
}

/** The last part of a qualified name. */
export function lastName(nodes: readonly Node[] = []): string {
  return names(nodes).at(-1) ?? "";
}

/** A text constant's content. */
export function stringOf(node: Node): string | undefined {
  if ("TypeCast" in node && node.TypeCast.arg !== undefined) return stringOf(node.TypeCast.arg);
  if (!("A_Const" in node)) return undefined;
  const { sval } = node.A_Const;
  return sval === undefined ? undefined : (sval.sval ?? "");
}

/** `typname` of what a cast casts to. */
export function castTo(node: Node): string | undefined {
  return "TypeCast" in node ? lastName(node.TypeCast.typeName?.names) : undefined;
}

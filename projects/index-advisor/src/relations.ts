/** Which tables a statement names, as libpg-query's tree has them. */

export interface RelationName {
  readonly schema?: string;
  readonly name: string;
}

/** Without names of `WITH`, which stand where a table's would. */
export function relationsOf(tree: unknown): readonly RelationName[] {
  const found: RelationName[] = [];
  const common = new Set<string>();
  walk(tree, (key, value) => {
    if (key === "ctename" && typeof value === "string") common.add(value);
    if (!isObject(value) || typeof value.relname !== "string") return;
    const schema = typeof value.schemaname === "string" ? { schema: value.schemaname } : {};
    found.push({ ...schema, name: value.relname });
  });
  return found.filter(({ schema, name }) => schema !== undefined || !common.has(name));
}

function walk(value: unknown, visit: (key: string, value: unknown) => void): void {
  if (!isObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    visit(key, child);
    walk(child, visit);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** PostgreSQL's parse trees as plain data: `{ NodeType: { field: … } }`, nested. */
export interface Tree {
  readonly [field: string]: unknown;
}

export function fieldsOf(value: unknown): Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Tree)
    : {};
}

/** Visits every node, outer ones first. */
export function walk(tree: unknown, visit: (type: string, fields: Tree) => void): void {
  if (Array.isArray(tree)) {
    for (const item of tree) walk(item, visit);
    return;
  }
  for (const [type, value] of Object.entries(fieldsOf(tree))) {
    // Types begin with a capital, fields don't.
    if (/^[A-Z]/.test(type)) visit(type, fieldsOf(value));
    walk(value, visit);
  }
}

/** The one node of this type that the tree is, if it is. */
export function nodeOf(tree: unknown, type: string): Tree | undefined {
  const fields = fieldsOf(tree);
  return type in fields ? fieldsOf(fields[type]) : undefined;
}

/** The numbers of `$1`, `$2` … in it. */
export function parametersIn(tree: unknown): number[] {
  const found: number[] = [];
  walk(tree, (type, fields) => {
    if (type === "ParamRef" && typeof fields.number === "number") found.push(fields.number);
  });
  return found;
}

/** Of a list of strings, as qualified names and operators are: the last one is the name itself. */
export function namesOf(list: unknown): string[] {
  return asList(list).flatMap((item) => {
    const { sval } = fieldsOf(fieldsOf(item).String);
    return typeof sval === "string" ? [sval] : [];
  });
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

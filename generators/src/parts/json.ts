const WIDTH = 100;

/** A flat object as the formatter would have it: a line for each key, lists in one line if they fit. */
export function formatJson(value: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(value).map(([key, each]) => {
    const [name, items] = [JSON.stringify(key), Array.isArray(each) ? each : undefined];
    if (!items) return `  ${name}: ${JSON.stringify(each)}`;
    const texts = items.map((item) => JSON.stringify(item));
    const line = `  ${name}: [${texts.join(", ")}]`;
    return line.length < WIDTH ? line : `  ${name}: [\n    ${texts.join(",\n    ")}\n  ]`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** Powers of base units: `{ s: 1 }` is a time, `{ s: -1 }` a rate, `{}` a bare number. */
export type Dimension = { readonly [base: string]: number };

/** What a unit is worth in base units: seconds, bytes, and words that stand for themselves. */
export interface Unit {
  readonly factor: number;
  readonly dimension: Dimension;
}

const known: { readonly [name: string]: readonly [factor: number, base: string] } = {
  ns: [1e-9, "s"],
  us: [1e-6, "s"],
  µs: [1e-6, "s"],
  ms: [1e-3, "s"],
  s: [1, "s"],
  min: [60, "s"],
  h: [3_600, "s"],
  B: [1, "B"],
  kB: [1e3, "B"],
  MB: [1e6, "B"],
  GB: [1e9, "B"],
  TB: [1e12, "B"],
  KiB: [2 ** 10, "B"],
  MiB: [2 ** 20, "B"],
  GiB: [2 ** 30, "B"],
  TiB: [2 ** 40, "B"],
};

/** @param text `ms`, `1/s`, `/s`, `%`, `MB/row`; empty or `1` for none. Unknown words are bases of their own. */
export function parseUnit(text: string): Unit {
  if (text === "%") return { factor: 0.01, dimension: {} };
  const [above = "", below = ""] = text.split("/");
  return divided(atom(above), atom(below));
}

function atom(name: string): Unit {
  if (name === "" || name === "1") return { factor: 1, dimension: {} };
  const [factor, base] = known[name] ?? [1, name];
  return { factor, dimension: { [base]: 1 } };
}

function divided(one: Unit, other: Unit): Unit {
  return {
    factor: one.factor / other.factor,
    dimension: combine(one.dimension, other.dimension, -1),
  };
}

/** @param sign 1 for a product, -1 for a quotient */
export function combine(one: Dimension, other: Dimension, sign: 1 | -1): Dimension {
  const powers = new Map(Object.entries(one));
  for (const [base, power] of Object.entries(other)) {
    powers.set(base, (powers.get(base) ?? 0) + sign * power);
  }
  return Object.fromEntries([...powers].filter(([, power]) => power !== 0));
}

export function sameDimension(one: Dimension, other: Dimension): boolean {
  return Object.keys(combine(one, other, -1)).length === 0;
}

/** For people: what is measured in such units. */
export function describeDimension(dimension: Dimension): string {
  const names: { readonly [text: string]: string } = {
    "": "a bare number",
    s: "a time",
    B: "a number of bytes",
    "1/s": "a rate (such as 100/s)",
  };
  const text = baseUnit(dimension);
  return names[text] ?? `a number of ${text}`;
}

function baseUnit(dimension: Dimension): string {
  const part = (sign: 1 | -1): string =>
    Object.entries(dimension)
      .filter(([, power]) => Math.sign(power) === sign)
      .map(([base, power]) => (Math.abs(power) === 1 ? base : `${base}^${Math.abs(power)}`))
      .join("·");
  const below = part(-1);
  return below ? `${part(1) || "1"}/${below}` : part(1);
}

const scales: { readonly [base: string]: readonly (readonly [from: number, unit: string])[] } = {
  s: [
    [1, "s"],
    [1e-3, "ms"],
    [0, "µs"],
  ],
  B: [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
    [0, "B"],
  ],
};

/** The unit in which a value is best read. */
export function unitFor(value: number, dimension: Dimension): string {
  const base = baseUnit(dimension);
  const scale = scales[base]?.find(([from]) => Math.abs(value) >= from);
  return scale?.[1] ?? base.replace(/^1(?=\/)/, "");
}

/** Three significant digits. */
export function formatNumber(value: number): string {
  return Number.isNaN(value) ? "?" : Number(value.toPrecision(3)).toString();
}

/** @param value in base units */
export function formatQuantity(
  value: number,
  dimension: Dimension,
  unit = unitFor(value, dimension),
): string {
  const gap = unit === "" || unit.startsWith("/") ? "" : " ";
  return `${formatNumber(value / parseUnit(unit).factor)}${gap}${unit}`;
}

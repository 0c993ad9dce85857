/** Sizes and times, as people write and read them. */
import { badOption } from "./errors.ts";

const SIZES = ["B", "kB", "MB", "GB", "TB"] as const;
const DURATIONS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 } as const;

/** `2GB`, `500 MB`: powers of 1,024, as PostgreSQL's own settings have them. @returns bytes */
export function parseSize(option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)$/i.exec(text.trim()) ?? [];
  const power = SIZES.findIndex((each) => each.toLowerCase() === unit?.toLowerCase());
  if (number === undefined || power < 0) throw badOption(option, text, "a size like 500MB or 2GB");
  return Math.round(Number(number) * 1_024 ** power);
}

/** `90s`, `10min`. @returns milliseconds */
export function parseDuration(option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h)$/.exec(text.trim()) ?? [];
  const ms = Number(number) * (DURATIONS[unit as keyof typeof DURATIONS] ?? Number.NaN);
  if (!(ms >= 1)) throw badOption(option, text, "a time like 500ms, 90s or 10min");
  return Math.round(ms);
}

export function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw badOption(option, text, "a whole number from 1");
  return count;
}

export function formatSize(bytes: number): string {
  const power = Math.min(SIZES.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${rounded(bytes / 1_024 ** power)} ${SIZES[power]}`;
}

/** @param ms may be many hours: Σ calls × time per call is */
export function formatMs(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1_000) return `${rounded(ms)} ms`;
  if (size < 120_000) return `${rounded(ms / 1_000)} s`;
  if (size < 7_200_000) return `${rounded(ms / 60_000)} min`;
  return `${rounded(ms / 3_600_000)} h`;
}

/** `≥ 10 s` for what was stopped. */
export function formatAtLeast(ms: number, isStopped: boolean): string {
  return `${isStopped ? "≥ " : ""}${formatMs(ms)}`;
}

/** `−35 %`, `+4 %` */
export function formatChange(before: number, after: number): string {
  if (before === 0) return "–";
  const percent = (100 * (after - before)) / before;
  const sign = percent > 0 ? "+" : percent < 0 ? "−" : "";
  const size = Math.abs(percent);
  return `${sign}${roundedPercent(size)} %`;
}

/** Never 100 for what is not gone altogether. */
function roundedPercent(size: number): number {
  if (size < 10) return Number(size.toFixed(1));
  return size < 100 && size >= 99.5 ? Math.floor(size * 10) / 10 : Math.round(size);
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** Three digits that mean something. */
function rounded(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return formatCount(value);
  if (size >= 10) return String(Number(value.toFixed(1)));
  return size >= 1 ? String(Number(value.toFixed(2))) : String(Number(value.toPrecision(2)));
}

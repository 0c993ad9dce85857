import { expect, it } from "vitest";
import { settingsFrom } from "../../src/cli/program.ts";
import {
  formatChange,
  formatMs,
  formatSize,
  parseDuration,
  parseSize,
} from "../../src/cli/units.ts";

it("reads sizes as PostgreSQL's settings have them", () => {
  expect(parseSize("--budget", "2GB")).toBe(2 * 1_024 ** 3);
  expect(parseSize("--budget", "1.5 mb")).toBe(1_572_864);
  expect(parseSize("--budget", "0B")).toBe(0);
  for (const wrong of ["2", "GB", "-1GB", "2GiB", "2 GB or so"]) {
    expect(() => parseSize("--budget", wrong)).toThrow(`--budget ${wrong}`);
  }
});

it("reads times", () => {
  expect(parseDuration("--timeout", "90s")).toBe(90_000);
  expect(parseDuration("--timeout", "10min")).toBe(600_000);
  for (const wrong of ["10", "0s", "-5s", "10 minutes"]) {
    expect(() => parseDuration("--timeout", wrong)).toThrow(`--timeout ${wrong}`);
  }
});

it("writes three digits that mean something", () => {
  expect([0.00123, 0.5, 7.004, 46.04, 999, 1_500, 90_000, 600_000, 9e7].map(formatMs)).toEqual([
    "0.0012 ms",
    "0.5 ms",
    "7 ms",
    "46 ms",
    "999 ms",
    "1.5 s",
    "90 s",
    "10 min",
    "25 h",
  ]);
  expect([0, 8_192, 1_536 * 1_024, 3 * 1_024 ** 4].map(formatSize)).toEqual([
    "0 B",
    "8 kB",
    "1.5 MB",
    "3 TB",
  ]);
  expect([formatChange(100, 65), formatChange(100, 104), formatChange(0, 1)]).toEqual([
    "−35 %",
    "+4 %",
    "–",
  ]);
  expect([formatChange(10_000, 24.6), formatChange(10_000, 0), formatChange(1, 1.004)]).toEqual([
    "−99.7 %",
    "−100 %",
    "+0.4 %",
  ]);
});

it("never shows an address again, which may have a password in it", () => {
  const wrong = () => settingsFrom(["--url", "http://me:secret@host/db"]);
  expect(wrong).toThrow("--url");
  expect(wrong).not.toThrow("secret");
});

it("has defaults that change nothing", () => {
  expect(settingsFrom(["--url", "postgres://me@127.0.0.1/db", "--budget", "500MB"])).toMatchObject({
    apply: false,
    yes: false,
    scratch: undefined,
    collect: { by: "total-time", limit: 100 },
    budgetBytes: 500 * 1_024 ** 2,
    drop: false,
    makeCopyBytes: undefined,
  });
  expect(() => settingsFrom([])).toThrow("--url");
  expect(() => settingsFrom(["--url", "postgres://h/d", "--by", "luck"])).toThrow("total-time");
});

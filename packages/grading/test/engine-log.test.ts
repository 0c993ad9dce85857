import { expect, it } from "vitest";
import { linesBetween } from "../src/run/engine-log.ts";

const noon = Date.parse("2026-01-01T12:00:00Z");

it("keeps the lines of a PostgreSQL log that were written meanwhile, with those that belong to them", () => {
  const log = [
    "2026-01-01 11:59:59.900 UTC [1] LOG:  before",
    "\tand its detail",
    "2026-01-01 12:00:00.100 UTC [1] ERROR:  meanwhile",
    "\tand its detail",
    "2026-01-01 12:00:00.200 UTC [1]  LOG:  checkpoint complete: wrote 2 buffers",
    "2026-01-01 12:00:00.298 UTC [2] 127.0.0.1(4711) LOG:  connection received: host=127.0.0.1 port=4711",
    '2026-01-01 12:00:00.299 UTC [2] 127.0.0.1(4711) LOG:  connection authenticated: identity="a" method=scram-sha-256',
    "2026-01-01 12:00:00.300 UTC [2] 127.0.0.1(4711) LOG:  connection authorized: user=a database=b",
    "2026-01-01 12:00:01.000 UTC [1] LOG:  after",
  ].join("\n");
  expect(linesBetween(log, noon, noon + 500)).toEqual([
    "2026-01-01 12:00:00.100 UTC [1] ERROR:  meanwhile",
    "\tand its detail",
  ]);
});

it("reads Redis's times as this machine's, as Redis writes them", () => {
  const time = (ms: number) => {
    const [, day, month, year, clock] = new Date(noon + ms)
      .toString()
      .split(" ")
      .slice(0, 5)
      .map(String);
    return `${month} ${day} ${year} ${clock}`;
  };
  const log = [
    `9:M ${time(0)}.000 * before`,
    `9:M ${time(2_000)}.000 # meanwhile`,
    `9:M ${time(2_000)}.000 - Accepted 127.0.0.1:4711`,
    `9:M ${time(9_000)}.000 * after`,
  ].join("\n");
  expect(linesBetween(log, noon + 1_000, noon + 3_000)).toEqual([
    `9:M ${time(2_000)}.000 # meanwhile`,
  ]);
});

it("keeps a log without times whole", () => {
  expect(linesBetween("one\n\ntwo\n", noon, noon)).toEqual(["one", "two"]);
});

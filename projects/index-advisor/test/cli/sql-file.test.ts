import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { separated, statementsIn } from "../../src/cli/sql-file.ts";

const statements = (text: string) => separated(text, "work.sql");

describe("a file of statements", () => {
  it("is divided at semicolons that end one", async () => {
    const text = `SELECT 'a;b'; /* no; */ SELECT $$c;d$$, "e;f" -- g;
;; SELECT 'é;', 1`;
    expect(await statements(text)).toEqual([
      { sql: "SELECT 'a;b'", calls: 1 },
      { sql: `SELECT $$c;d$$, "e;f"`, calls: 1 },
      { sql: "SELECT 'é;', 1", calls: 1 },
    ]);
  });

  it("says how often each runs", async () => {
    const text = `-- calls: 120
SELECT 1;
SELECT 2;
--CALLS:0.5
SELECT 3; -- calls: 7
SELECT 4`;
    expect((await statements(text)).map(({ calls }) => calls)).toEqual([120, 1, 0.5, 7]);
  });

  it("may have statements that are wrong: those are for the advisor to skip", async () => {
    expect(await statements("SELEC 1; SELECT 2 FROM")).toEqual([
      { sql: "SELEC 1", calls: 1 },
      { sql: "SELECT 2 FROM", calls: 1 },
    ]);
  });

  it.for(["-- calls: many\nSELECT 1", "-- calls: -1\nSELECT 1", "-- calls:\nSELECT 1"])(
    "is refused where a number of calls is none: %j",
    async (text) => {
      await expect(statements(text)).rejects.toMatchObject({
        code: "BAD_SQL_FILE",
        message: expect.stringContaining("-- calls: 120"),
      });
    },
  );

  it("is refused where a quote is never closed", async () => {
    await expect(statements("SELECT 'abc; SELECT 2")).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ToolError: work.sql can't be read as SQL.
      What to do: look for a quote, a dollar quote or a /* that is never closed.]
    `);
  });

  it("is refused where it isn't there, or has nothing in it", async () => {
    const empty = join(tmpdir(), `advise-${process.pid}.sql`);
    onTestFinished(() => rm(empty));
    await writeFile(empty, "-- nothing\n;");
    await expect(statementsIn(empty)).rejects.toMatchObject({ code: "NOTHING_TO_READ" });
    await expect(statementsIn("/nowhere/work.sql")).rejects.toThrowErrorMatchingInlineSnapshot(`
      [ToolError: /nowhere/work.sql can't be read (ENOENT).
      What to do: give the path of a file that is there.]
    `);
  });
});

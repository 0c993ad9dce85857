import { expect, it } from "vitest";
import { placeOf } from "../../src/cli/run.ts";
import { shown, shownInJson } from "../../src/cli/terminal.ts";

it("shows what a terminal would obey, and leaves lines and tabs alone", () => {
  expect(shown("SELECT '\u001b[2J\u009b1m\u202e'\n\t-- naïve ✓")).toBe(
    "SELECT '\ufffd[2J\ufffd1m\ufffd'\n\t-- naïve ✓",
  );
});

it("leaves JSON what it is", () => {
  const value = { sql: "\u009b31m \u202etxt \u007f" };
  const json = shownInJson(JSON.stringify(value));
  expect(json).toBe('{"sql":"\\u009b31m \\u202etxt \\u007f"}');
  expect(JSON.parse(json)).toEqual(value);
});

it("names a database by its server, too, and as it is written", () => {
  expect(placeOf("postgres://me:secret@db.example/a%20shop")).toBe("db.example:5432/a shop");
  expect(placeOf("postgres://me@127.0.0.1:6543/shop")).toBe("127.0.0.1:6543/shop");
  expect(placeOf("postgres:///shop?host=/run/postgresql")).toBe("/run/postgresql:5432/shop");
});

/** What Python says to the guide's samples in Python. Needs `python3`. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const python = (code: string) => spawnSync("python3", ["-c", code], { encoding: "utf8" });

test.runIf(python("").status === 0)(
  "two processes hash a name differently, and a number alike",
  () => {
    const hash = (of: string) => python(`print(hash(${of}))`).stdout.trim();
    expect(hash("'ada'")).toMatch(/^-?\d+$/);
    expect(hash("'ada'")).not.toBe(hash("'ada'"));
    expect(hash("123")).toBe("123");
  },
);

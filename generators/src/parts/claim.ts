import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Change } from "../changes.ts";
import { checkUnknown, nothingToCopy, pathTaken } from "../errors.ts";
import { checkName, checkTitle } from "../names.ts";
import { type Authored, itsChecks, pathIn, readAuthored, whichKata } from "./authored.ts";
import { simplestAgainst } from "./check.ts";
import { type Part, said } from "./part.ts";
import { renderPart } from "./template.ts";

const LOG = "DATABASE_DECISION_LOG.md";

/** A claim begins with evidence that can fail: a check that the reference passes, and who must fail it. */
export const claim: Part = {
  name: "claim",
  description: "an entry of the decision log, with a claim that can be falsified",
  questions: [
    whichKata,
    {
      name: "id",
      positional: true,
      required: true,
      message: "Its id (for example no-lost-note):",
      help: "lower-case words with dashes: what the log calls it",
      check: (value) => checkName(value, "claim"),
    },
    {
      name: "title",
      value: "text",
      message: "What was decided?",
      help: "what was decided; default: made from the id",
      check: (value) => checkTitle(value, "decision", 120),
    },
    {
      name: "check",
      value: "id",
      message: "Which check would tell?",
      help: "the check that puts it to the test; default: the first one that a mutant fails",
      choices: itsChecks,
    },
  ],
  async plan(root, answers) {
    const kata = await readAuthored(root, said(answers, "kata"));
    const id = said(answers, "id");
    checkName(id, "claim");
    const [check, mutant] = evidence(kata, said(answers, "check"));
    const title = said(answers, "title") || capital(id.replaceAll("-", " "));
    checkTitle(title, "decision", 120);
    const log = await read(kata, LOG);
    if (log?.split("\n").includes(`id: ${id}`))
      throw pathTaken(`the claim ${id} in ${pathIn(kata, LOG)}`);
    const date = new Date().toISOString().slice(0, 10);
    const entry = await renderPart("claim/entry.md.hbs", { id, title, check, mutant, date });
    return {
      changes: [withEntry(pathIn(kata, LOG), log, entry)],
      next: [
        `${pathIn(kata, LOG)}: what was chosen, against what, and why; what exactly is claimed`,
        "what is a matter of figures: an experiment and a predicate instead of checks",
        `pnpm kata falsify ${kata.name} --claim ${id}`,
      ],
    };
  },
};

/** @throws GeneratorError `CHECK_UNKNOWN`, `NOTHING_TO_COPY` */
function evidence(kata: Authored, named: string): [check: string, mutant: string] {
  const ids = kata.checks.map(({ id }) => id);
  if (named && !ids.includes(named)) throw checkUnknown(named, ids);
  const check = named || ids.find((id) => simplestAgainst(kata, id));
  const mutant = check && simplestAgainst(kata, check);
  if (!check || !mutant) throw nothingToCopy(kata.name, check ? [check] : []);
  return [check, mutant.name];
}

/** The newest entry is the first one. */
function withEntry(path: string, before: string | undefined, entry: string): Change {
  if (before === undefined) return { path, content: `# Database decision log\n\n${entry}` };
  const first = before.search(/^## /m);
  const content =
    first === -1
      ? `${before.trimEnd()}\n\n${entry}`
      : `${before.slice(0, first)}${entry}\n${before.slice(first)}`;
  return { path, before, content };
}

function read(kata: Authored, file: string): Promise<string | undefined> {
  return readFile(join(kata.folder, file), "utf8").catch(() => undefined);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

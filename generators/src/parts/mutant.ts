import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Change } from "../changes.ts";
import {
  checkUnknown,
  mutantUnknown,
  nothingToCopy,
  pathTaken,
  variantUnknown,
} from "../errors.ts";
import { checkName } from "../names.ts";
import {
  type Authored,
  type AuthoredMutant,
  filesBelow,
  itsChecks,
  pathIn,
  readAuthored,
  whichKata,
} from "./authored.ts";
import { changesAsPatch } from "./git.ts";
import { formatJson } from "./json.ts";
import { type Part, said, saidList } from "./part.ts";

/** A mutant begins as one that is caught, or as what its author has just changed in the reference. */
export const mutant: Part = {
  name: "mutant",
  description: "a wrong answer that checks must fail",
  questions: [
    whichKata,
    {
      name: "name",
      positional: true,
      required: true,
      message: "What is it called (for example write-behind)?",
      help: "lower-case words with dashes: its folder in mutants/",
      check: (value) => checkName(value, "mutant"),
    },
    {
      name: "must",
      value: "id",
      many: true,
      required: true,
      message: "Which checks must fail it?",
      help: "the checks that must fail it",
      choices: itsChecks,
    },
    {
      name: "why",
      value: "text",
      message: "Why would somebody sensible write this?",
      help: "why sensible people write it; to be written where it is left away",
    },
    {
      name: "like",
      value: "name",
      message: "Which mutant is most like it?",
      help: "the mutant that it begins as; default: the simplest that fails those checks",
    },
    {
      name: "changes",
      value: "commit",
      message: "A commit:",
      help: "it is what src/ differs in from that commit (HEAD, for what you have just changed)",
    },
    {
      name: "of",
      value: "variant",
      message: "Which variant is it made of?",
      help: "with --changes: a variant has been changed, and not src/",
    },
  ],
  async plan(root, answers) {
    const kata = await readAuthored(root, said(answers, "kata"));
    const name = said(answers, "name");
    const must = saidList(answers, "must");
    checkName(name, "mutant");
    const ids = kata.checks.map(({ id }) => id);
    const unknown = must.find((id) => !ids.includes(id));
    if (unknown !== undefined) throw checkUnknown(unknown, ids);
    const why = said(answers, "why") || undefined;
    const since = said(answers, "changes");
    if (since) {
      const of = said(answers, "of") || undefined;
      if (of && !kata.variants.includes(of)) throw variantUnknown(of, kata.variants);
      const origin = of ? `variants/${of}` : "src";
      return {
        changes: await patchMutant(kata, { name, must, why, of, since, origin }),
        next: [
          `git checkout ${since} -- ${pathIn(kata, origin)}   puts the right answer back`,
          ...proofs(kata, name, must),
        ],
      };
    }
    const model = modelOf(kata, said(answers, "like"), must);
    const others = [...model.must, ...model.may];
    return {
      changes: await copyMutant(kata, model, { name, must, may: others, why }),
      next: [
        `${pathIn(kata, "mutants", name)}/: it is wrong as ${model.name} is; make it wrong in its own way`,
        ...proofs(kata, name, must),
      ],
    };
  },
};

function proofs(kata: Authored, name: string, must: readonly string[]): string[] {
  return [
    `pnpm kata grade ${kata.name} --mutant ${name} --check ${must.join(" ")}`,
    `pnpm kata verify ${kata.name} --only ${name} --full`,
  ];
}

/** @throws GeneratorError `MUTANT_UNKNOWN`, `NOTHING_TO_COPY` */
function modelOf(kata: Authored, like: string, must: readonly string[]): AuthoredMutant {
  const named = kata.mutants.find(({ name }) => name === like);
  if (like && !named) {
    throw mutantUnknown(
      like,
      kata.mutants.map(({ name }) => name),
    );
  }
  const size = (each: AuthoredMutant) => each.must.length + each.may.length;
  const fitting = kata.mutants
    .filter((each) => must.every((id) => each.must.includes(id)))
    .sort((a, b) => size(a) - size(b));
  const model = named ?? fitting.at(0);
  if (!model) throw nothingToCopy(kata.name, must);
  return model;
}

interface Manifest {
  readonly name: string;
  readonly must: readonly string[];
  readonly may?: readonly string[];
  readonly why?: string | undefined;
  readonly of?: string | undefined;
}

/** The files of a mutant under another name. */
export async function copyMutant(
  kata: Authored,
  model: AuthoredMutant,
  manifest: Manifest,
): Promise<Change[]> {
  const from = join(kata.folder, "mutants", model.name);
  const files = (await filesBelow(from)).filter((file) => file !== "mutant.json");
  const copies = files.map(async (file) => ({
    path: pathIn(kata, "mutants", manifest.name, file),
    content: await readFile(join(from, file), "utf8"),
  }));
  return [...(await Promise.all(copies)), manifestOf(kata, { ...manifest, of: model.of })];
}

/** @throws GeneratorError `NO_CHANGES` */
async function patchMutant(
  kata: Authored,
  { since, origin, ...manifest }: Manifest & { readonly since: string; readonly origin: string },
): Promise<Change[]> {
  const content = await changesAsPatch(kata.folder, since, origin);
  const path = pathIn(kata, "mutants", manifest.name, "change.patch");
  return [{ path, content }, manifestOf(kata, manifest)];
}

/** @throws GeneratorError `PATH_TAKEN` */
function manifestOf(kata: Authored, { name, must, may = [], why, of }: Manifest): Change {
  if (kata.mutants.some((each) => each.name === name)) {
    throw pathTaken(pathIn(kata, "mutants", name));
  }
  const others = [...new Set(may)].filter((id) => !must.includes(id));
  const content = formatJson({
    trap: name,
    why: why ?? "To be written, in the voice of somebody who means well.",
    ...(of !== undefined && { of }),
    must,
    ...(others.length > 0 && { may: others }),
  });
  return { path: pathIn(kata, "mutants", name, "mutant.json"), content };
}

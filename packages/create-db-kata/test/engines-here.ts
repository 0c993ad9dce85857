/** Which engines new exercises can be proven on, on this machine and in this run. */
import { fetchableUnasked, openEngines } from "@db-katas/engines";
import { availableEngines, defaultTemplates } from "@db-katas/generators";
import { changedFiles } from "@db-katas/grading";

export interface EnginesHere {
  readonly here: readonly string[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/** Of those that exercises are made for. @param isWhole whether one that is a big fetch is taken, too */
export async function enginesHere(isWhole: boolean): Promise<EnginesHere> {
  await using run = await openEngines();
  const names = (await availableEngines(defaultTemplates)).map(({ name }) => name);
  const asked = await Promise.all(
    names.map(async (name) => {
      const { chosen } = await run.probe(name);
      if (!chosen) return { name, why: "not offered here" };
      const isTaken = isWhole || fetchableUnasked(chosen);
      return { name, why: isTaken ? undefined : "more than a gate fetches: KATA_COVERING=all" };
    }),
  );
  return {
    here: asked.flatMap(({ name, why }) => (why === undefined ? name : [])),
    missing: asked.flatMap(({ name, why }) => (why === undefined ? [] : { name, why })),
  };
}

/** Engines whose templates are others than upstream's; none where git can't tell. */
export async function changedEngines(repo: string): Promise<string[]> {
  const { files } = await changedFiles(repo, "origin/main").catch(() => ({ files: [] }));
  const names = files.map((file) => /^generators\/templates\/engines\/([^/]+)\//.exec(file)?.[1]);
  return [...new Set(names.flatMap((name) => name ?? []))];
}

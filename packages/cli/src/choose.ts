import { type Capability, type EngineDefinition, loadDefinitions } from "@db-katas/engines";
import { engineOf, type Kata, loadRubric, requestFor } from "@db-katas/grading";
import { CliError } from "./errors.ts";
import { findWorkspace, listKatas } from "./workspace.ts";

type Definitions = ReadonlyMap<string, EngineDefinition>;

/**
 * The engines that somebody means: those named, and those that the exercises named need; without a
 * name, those that all exercises need.
 * @throws CliError `ENGINE_UNKNOWN`
 */
export async function chooseEngines(names: readonly string[]): Promise<string[]> {
  const definitions = await loadDefinitions();
  const engines = [...definitions.keys()];
  const others = names.filter((name) => !engines.includes(name));
  if (names.length > 0 && others.length === 0) return [...new Set(names)];
  const katas = await listKatas(await findWorkspace(process.cwd()));
  const unknown = others.find((name) => !katas.some((kata) => kata.name === name));
  if (unknown !== undefined) {
    const exercises = katas.map(({ name }) => name).join(", ") || "none";
    throw new CliError("ENGINE_UNKNOWN", `No engine and no exercise is called "${unknown}".`, {
      likelyCause: `the engines are ${engines.join(", ")}; the exercises: ${exercises}`,
      remedy: "pnpm kata engines status, or pnpm kata list",
    });
  }
  const chosen = katas.filter(({ name }) => names.length === 0 || names.includes(name));
  const needed = await Promise.all(chosen.map((kata) => neededBy(kata, definitions)));
  return [...new Set([...names.filter((name) => engines.includes(name)), ...needed.flat()])];
}

async function neededBy(kata: Kata, definitions: Definitions): Promise<string[]> {
  const rubric = await loadRubric(kata);
  const asked = rubric.flatMap((check) => Object.entries(check.engines));
  return [
    ...Object.entries(kata.definition.engines).flatMap(([role, wanted]) =>
      serversFor(engineOf(role, wanted), wanted.needs ?? [], definitions),
    ),
    ...asked.flatMap(([role, wanted]) =>
      serversFor(engineOf(role, wanted), requestFor(wanted).needs, definitions),
    ),
  ];
}

/** An engine, and who takes its place where it lacks what is needed. */
export function serversFor(
  engine: string,
  needs: readonly Capability[],
  definitions: Definitions,
): string[] {
  const variants = needs.flatMap((need) => definitions.get(engine)?.variants?.[need] ?? []);
  return [engine, ...variants];
}

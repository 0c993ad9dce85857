import { loadDefinitions } from "@db-katas/engines";
import { CliError } from "./errors.ts";
import { findWorkspace, listKatas } from "./workspace.ts";

/**
 * The engines that somebody means: those named, and those that the exercises named need; without a
 * name, those that all exercises need.
 * @throws CliError `ENGINE_UNKNOWN`
 */
export async function chooseEngines(names: readonly string[]): Promise<string[]> {
  const engines = [...(await loadDefinitions()).keys()];
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
  return [
    ...new Set([
      ...names.filter((name) => engines.includes(name)),
      ...chosen.flatMap(({ definition }) => Object.keys(definition.engines)),
    ]),
  ];
}

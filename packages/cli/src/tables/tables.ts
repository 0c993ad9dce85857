/** The tables that a README has between markers, made of what they are about. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDefinitions } from "@db-katas/engines";
import { enginesOf } from "@db-katas/grading";
import type { Command } from "commander";
import { markdownTable } from "markdown-table";
import { listKatas, type Workspace } from "../workspace.ts";

/** Of the root's README, and of nothing else. */
const FILE = "README.md";

/** A README's text with its tables as they have to be; undefined where there is no README. */
export async function tablesIn(
  workspace: Workspace,
  program: Command,
): Promise<{ before: string; after: string } | undefined> {
  const before = await readFile(join(workspace.root, FILE), "utf8").catch(() => undefined);
  if (before === undefined) return undefined;
  const exercises = await exercisesTable(workspace);
  const after = [
    ["exercises", exercises],
    ["commands", commandsTable(program)],
  ].reduce((text, [name = "", table = ""]) => between(text, name, table), before);
  return { before, after };
}

/** Brings the README up to date, where it has places for tables. @returns whether something changed */
export async function writeTables(workspace: Workspace, program: Command): Promise<boolean> {
  const tables = await tablesIn(workspace, program);
  if (!tables || tables.after === tables.before) return false;
  await writeFile(join(workspace.root, FILE), tables.after);
  return true;
}

async function exercisesTable(workspace: Workspace): Promise<string> {
  const definitions = await loadDefinitions();
  const titleOf = (engine: string) => definitions.get(engine)?.title ?? engine;
  const rows = (await listKatas(workspace)).map(({ name, definition }) => [
    `[${name}](projects/${name}/)`,
    definition.summary,
    definition.level,
    `${definition.minutes} min`,
    [...new Set(enginesOf(definition).map(titleOf))].join(", "),
  ]);
  return tableOf(["exercise", "what it is", "level", "time", "engines"], rows);
}

function commandsTable(program: Command): string {
  const rows = leavesOf(program).map(({ path, command }) => [
    ["`", [...path, ...argumentsOf(command)].join(" "), "`"].join(""),
    command.description(),
  ]);
  return tableOf(["command", "does"], rows);
}

interface Leaf {
  readonly path: readonly string[];
  readonly command: Command;
}

/** Commands that do something: groups only lead to others. */
function leavesOf(command: Command, above: readonly string[] = []): Leaf[] {
  const path = [...above, command.name()];
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((each) => leavesOf(each, path));
}

function argumentsOf({ registeredArguments }: Command): string[] {
  return registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  return markdownTable([head, ...escaped]);
}

/** Where there are no markers, there is no table. */
function between(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) return text;
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}

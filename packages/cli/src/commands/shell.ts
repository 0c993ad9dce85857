import { engineOf, leasePrepared, loadRubric, terminalPaint } from "@db-katas/grading";
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { findKept } from "../keep.ts";
import { startProgress } from "../output.ts";
import { openSession, type Session } from "../session.ts";
import { clientFor, isOnPath, runClient } from "../shell/client.ts";
import { repl } from "../shell/repl.ts";
import { withTargetOptions } from "../target-options.ts";
import {
  findWorkspace,
  resolveTarget,
  type Target,
  type TargetOptions,
  type Workspace,
} from "../workspace.ts";

/** The engines with a client or a plain prompt of our own. */
const prompts = ["postgres", "redis", "sqlite"];

interface ShellOptions extends TargetOptions {
  readonly command?: string;
}

export function registerShell(program: Command): void {
  withTargetOptions(program.command("shell"))
    .argument("<engine>", "postgres, redis or sqlite, or what the exercise calls one")
    .argument(
      "[kata]",
      "or a folder: start anew, with the tables that this submission's migrations make",
    )
    .description(
      "a prompt on an engine, with full rights: on what `kata grade --keep` keeps, else on a fresh one",
    )
    .option("-c, --command <text>", "run this and end")
    .addHelpText(
      "after",
      "\nIt is psql, redis-cli or sqlite3 where they are on the PATH, else a plain prompt of our own." +
        "\nExit codes: the client's; 2 where there is nothing to connect to.",
    )
    .action(async (role: string, target: string | undefined, options: ShellOptions) => {
      const workspace = await findWorkspace(process.cwd());
      const fresh = target !== undefined || Object.keys(options).some((name) => name !== "command");
      const kept = fresh ? undefined : await findKept(workspace);
      const held = kept?.engines[role];
      if (kept && held) {
        assertPrompt(held.engine);
        say(`${role} as ${kept.check} of ${kept.kata} left it`);
        process.exitCode = await attach(held.engine, held.url, options.command);
        return;
      }
      const prepared = fresh ? await targetOrReference(workspace, target, options) : undefined;
      const engine = engineOf(role, prepared?.kata.definition.engines[role] ?? {});
      assertPrompt(engine);
      const progress = startProgress();
      await using session = await openSession(progress, { interruptible: false });
      progress.update(`starting ${engine}`);
      await using lease = await freshLease(role, prepared, session);
      progress.stop();
      const made = prepared
        ? `as ${prepared.submission.label} of ${prepared.kata.name} prepares it`
        : "with nothing in it";
      say(`a fresh ${engine} ${lease.engine.version}, ${made}; it ends with this prompt`);
      process.exitCode = await attach(engine, lease.adminUrl, options.command);
    });
}

/** To stderr: what `-c` prints is for pipes. */
function say(text: string): void {
  process.stderr.write(`${terminalPaint("gray", text)}\n`);
}

async function attach(engine: string, url: string, statements: string | undefined) {
  const client = clientFor(engine, url);
  if (!client || !(await isOnPath(client.command))) return repl(engine, url, statements);
  // Ctrl-C at its prompt is the client's to understand.
  const ignore = () => {};
  process.on("SIGINT", ignore);
  try {
    return await runClient(client, statements);
  } finally {
    process.off("SIGINT", ignore);
  }
}

async function freshLease(role: string, prepared: Target | undefined, session: Session) {
  const { engines } = session;
  if (!prepared) return engines.lease(role);
  const { kata, submission } = prepared;
  return leasePrepared({ kata, rubric: await loadRubric(kata), submission, engines, role });
}

/** A kata that one has no attempt at is looked at with its reference's tables. */
async function targetOrReference(
  workspace: Workspace,
  target: string | undefined,
  options: TargetOptions,
): Promise<Target> {
  try {
    return await resolveTarget(workspace, target, options, process.cwd());
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "ATTEMPT_MISSING") throw error;
    return resolveTarget(workspace, target, { ...options, reference: true }, process.cwd());
  }
}

function assertPrompt(engine: string): void {
  if (prompts.includes(engine)) return;
  throw new CliError("ENGINE_UNKNOWN", `There is no prompt for an engine called "${engine}".`, {
    likelyCause: `there is one for ${prompts.join(", ")}`,
    remedy: "pnpm kata shell --help",
  });
}

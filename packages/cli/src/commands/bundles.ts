import { type Command, InvalidArgumentError } from "commander";
import { formatOutcome, loadBundle } from "../bundle/load.ts";
import { formatSaved, saveBundle } from "../bundle/save.ts";
import { serveFile } from "../bundle/serve.ts";
import { chooseEngines } from "../choose.ts";
import { startProgress } from "../output.ts";
import { openSession, type Session } from "../session.ts";

/** What was fetched once, for other machines: `kata engines bundle`, `load` and `serve`. */
export function registerBundles(engines: Command): void {
  engines
    .command("bundle")
    .argument("<file>", "for instance engines.tar")
    .argument("[names...]", "exercises or engines; default: what all exercises need")
    .description("saves what was fetched for them as one file, for machines of the same kind")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      "\nIt holds packages as they were fetched: nothing that was prepared here, no password, no npm" +
        "\npackage, no image of a container.\nExit codes: 0 saved, 2 not",
    )
    .action(async (file: string, names: string[], { json = false }: { json?: boolean }) => {
      const chosen = await chooseEngines(names);
      await withSession(async (session) => {
        const saved = await saveBundle(session, chosen, file, json);
        process.stdout.write(
          `${json ? JSON.stringify(saved, null, 2) : formatSaved(saved, file)}\n`,
        );
      });
    });

  engines
    .command("load")
    .argument("<from>", "a file, or an address such as http://192.168.0.5:8000/engines.tar")
    .description("takes over what a bundle holds and this machine lacks")
    .option("--sha256 <hex>", "refuse any other file")
    .option("--json", "as JSON on stdout, once it is over")
    .addHelpText(
      "after",
      "\nWhat is in it is run as programs: load only what you trust. A download goes on where it stopped." +
        "\nExit codes: 0 all there, 1 some of it is of no use to this version, 2 nothing more was loaded",
    )
    .action(async (from: string, options: { sha256?: string; json?: boolean }) => {
      const { sha256, json: quiet = false } = options;
      await withSession(async (session) => {
        const loaded = await loadBundle(session, { from, sha256, quiet });
        process.stdout.write(
          `${quiet ? JSON.stringify(loaded, null, 2) : formatOutcome(loaded)}\n`,
        );
        process.exitCode = loaded.every(({ state }) => state !== "unknown") ? 0 : 1;
      });
    });

  engines
    .command("serve")
    .argument("<file>", "that `bundle` has saved")
    .description("serves that one file to other machines, until Ctrl-C")
    .option(
      "--host <address>",
      "of this machine, for the local network; 0.0.0.0 for all",
      "127.0.0.1",
    )
    .option("--port <number>", "to listen on; 0: one that is free", parsePort, 0)
    .addHelpText("after", "\nExit codes: 0 ended by Ctrl-C, 2 it could not begin")
    .action(serveFile);
}

async function withSession(work: (session: Session) => Promise<void>): Promise<void> {
  await using session = await openSession(startProgress({ quiet: true }));
  try {
    await work(session);
  } catch (error) {
    // Whoever has ended it knows why nothing more comes.
    if (!session.signal.aborted) throw error;
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
  return port;
}

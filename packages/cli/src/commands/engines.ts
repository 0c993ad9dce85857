import { loadDefinitions, type Offer, openEngines, type ProbeResult } from "@db-katas/engines";
import { terminalPaint } from "@db-katas/grading";
import type { Command } from "commander";
import prettyBytes from "pretty-bytes";
import { chooseEngines } from "../choose.ts";
import { CliError } from "../errors.ts";
import { formatOutcome, installEngines } from "../install.ts";
import { startProgress } from "../output.ts";
import { openSession } from "../session.ts";
import { formatWarm, isWarm, warmEngines } from "../warm.ts";
import { registerBundles } from "./bundles.ts";

export function registerEngines(program: Command): void {
  const engines = program.command("engines").description("the databases that the graders use");
  engines
    .command("status")
    .description("what each engine would be provided by here, and why not by something else")
    .option("--json", "as JSON on stdout")
    .addHelpText("after", "\nExit codes: 0 every engine is to be had, 1 some are not")
    .action(async (options: { json?: boolean }) => {
      const results = await probeAll();
      process.stdout.write(
        options.json
          ? `${JSON.stringify(results, null, 2)}\n`
          : `${results.map(formatProbe).join("\n\n")}\n`,
      );
      process.exitCode = results.every((result) => result.chosen) ? 0 : 1;
    });

  engines
    .command("install")
    .argument("<engines...>", "for instance redis")
    .description("fetches what engines need, into our cache; says first what, and how much it is")
    .option("--json", "as JSON on stdout, once it is over")
    .addHelpText(
      "after",
      "\nNothing is installed on the system. Interrupted, it goes on where it stopped." +
        "\nExit codes: 0 all there, 1 something could not be fetched, 2 an error of ours",
    )
    .action(async (names: string[], options: { json?: boolean }) => {
      for (const name of names) await assertEngine(name);
      const progress = startProgress({ quiet: true });
      await using session = await openSession(progress);
      const results = await installEngines(session, [...new Set(names)], options.json === true);

      if (session.signal.aborted) return;
      if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
      else process.stdout.write(`${formatOutcome(results)}\n`);
      process.exitCode = results.every(({ state }) => state === "here") ? 0 : 1;
    });

  engines
    .command("warm")
    .argument("[names...]", "exercises or engines; default: what all exercises need")
    .description("fetches what they need, and prepares what a first start would have to")
    .option("--json", "as JSON on stdout, once it is over")
    .addHelpText(
      "after",
      "\nEach engine is started once and ended. What takes time only the first time is kept." +
        "\nExit codes: 0 all ready, 1 something could not be fetched or started, 2 an error of ours",
    )
    .action(async (names: string[], options: { json?: boolean }) => {
      const chosen = await chooseEngines(names);
      await using session = await openSession(startProgress({ quiet: true }));
      const result = await warmEngines(session, chosen, options.json === true);
      if (session.signal.aborted) return;
      process.stdout.write(
        `${options.json ? JSON.stringify(result, null, 2) : formatWarm(result)}\n`,
      );
      process.exitCode = isWarm(result) ? 0 : 1;
    });

  registerBundles(engines);
}

async function assertEngine(engine: string): Promise<void> {
  const known = [...(await loadDefinitions()).keys()];
  if (known.includes(engine)) return;
  throw new CliError("ENGINE_UNKNOWN", `There is no engine called "${engine}".`, {
    likelyCause: `the ones here are ${known.join(", ")}`,
    remedy: "pnpm kata engines status",
  });
}

export async function probeAll(): Promise<ProbeResult[]> {
  await using run = await openEngines();
  const names = [...(await loadDefinitions()).keys()];
  return Promise.all(names.map((name) => run.probe(name)));
}

export function formatProbe(result: ProbeResult): string {
  const { chosen } = result;
  const version = chosen?.version ? ` ${chosen.version}` : "";
  const head = chosen
    ? `${terminalPaint("green", "✓")} ${terminalPaint("bold", result.engine)}${version}, as ${chosen.provider}: ${chosen.source}${fetchOf(chosen)}`
    : `${terminalPaint("red", "✗")} ${terminalPaint("bold", result.engine)} is not to be had here`;
  return [head, ...result.offers.filter((offer) => offer !== chosen).map(formatOffer)].join("\n");
}

function fetchOf(offer: Extract<Offer, { offered: true }>): string {
  return offer.fetch
    ? ` (fetched at first use: ${offer.fetch.what}, about ${prettyBytes(offer.fetch.bytes)})`
    : "";
}

function formatOffer(offer: Offer): string {
  if (offer.offered) return `    ${offer.provider}: ${offer.source}${fetchOf(offer)}`;
  const remedy = offer.remedy ? terminalPaint("gray", `  →  ${offer.remedy}`) : "";
  return `    ${offer.provider}: ${offer.reason}${remedy}`;
}

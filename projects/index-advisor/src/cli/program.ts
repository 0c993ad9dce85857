/** Options, checked. */
import { Command, CommanderError, Option } from "commander";
import type { CollectRequest } from "../../contract.ts";
import { badOption, ToolError } from "./errors.ts";
import { parseCount, parseDuration, parseSize } from "./units.ts";

export interface Settings {
  readonly target: string;
  readonly scratch: string | undefined;
  /** How large a database may be of which a copy is made. `undefined`: none is made. */
  readonly makeCopyBytes: number | undefined;
  readonly sqlFile: string | undefined;
  readonly collect: CollectRequest;
  readonly budgetBytes: number | undefined;
  readonly repetitions: number;
  readonly timeoutMs: number;
  readonly htmlFile: string | undefined;
  readonly json: boolean;
  readonly apply: boolean;
  readonly drop: boolean;
  readonly yes: boolean;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** What `--make-copy` stands for without a size. */
const COPY_SIZE = "1GB";

/**
 * @param args without the program's and the script's name
 * @returns `undefined` where help was asked for, and shown
 * @throws ToolError `BAD_OPTION`, CommanderError
 */
export function settingsFrom(args: readonly string[]): Settings | undefined {
  const program = new Command("advise")
    .description(
      `Recommends indexes for a PostgreSQL database, from what is asked of it, and proves on a copy that they help.
Nothing is changed in the database itself without --apply.`,
    )
    .requiredOption("--url <url>", "the database: postgres://user:password@host/name")
    .option(
      "--scratch-url <url>",
      "a copy of it, to build and measure on; this or --make-copy is needed",
    )
    .option(
      "--make-copy [size]",
      `make one beside it, if it has ${COPY_SIZE} or that size at most and nobody else is connected, and drop it at the end; meanwhile nobody can connect`,
    )
    .option(
      "--sql <file>",
      "statements, each ended by a semicolon, with `-- calls: 120` before it; without it, pg_stat_statements",
    )
    .addOption(
      new Option("--by <what>", "which of pg_stat_statements come first")
        .choices(["total-time", "calls", "blocks"])
        .default("total-time"),
    )
    .option("--limit <count>", "how many of them at most", "100")
    .option("--budget <size>", "what all new indexes may take together: 500MB, 2GB")
    .option("--repetitions <count>", "how often each statement is measured; medians count", "5")
    .option("--timeout <time>", "the longest that it may take", "10min")
    .option("--html <file>", "also write a page with plans and pictures")
    .option("--json", "write JSON in place of tables")
    .option("--apply", "then build in the database itself, concurrently, after asking")
    .option("--drop", "with --apply: also drop what is superfluous")
    .option("--yes", "with --apply: don't ask")
    .option("--lock-timeout <time>", "with --apply: the longest wait for one lock", "5s")
    .option("--statement-timeout <time>", "with --apply: the longest that one build may take", "1h")
    .helpOption("--help", "show this")
    .addHelpText(
      "after",
      `
Ends with 0 when there is advice, or nothing to advise; 2 when it could not be done; 130 after Ctrl-C.

  advise --url postgres://me@localhost/shop --make-copy --budget 2GB --html report.html
  advise --url postgres://me@localhost/shop --sql slow.sql --scratch-url postgres://me@localhost/shop_copy --json`,
    )
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    throw error;
  }
  const said = program.opts();
  if (said.drop && !said.apply) {
    throw new ToolError("BAD_OPTION", "--drop says what --apply may do. Say both, or neither.");
  }
  return {
    target: checkedUrl("--url", said.url),
    scratch:
      said.scratchUrl === undefined ? undefined : checkedUrl("--scratch-url", said.scratchUrl),
    makeCopyBytes:
      said.makeCopy === undefined
        ? undefined
        : parseSize("--make-copy", said.makeCopy === true ? COPY_SIZE : said.makeCopy),
    sqlFile: said.sql,
    collect: { by: said.by, limit: parseCount("--limit", said.limit) },
    budgetBytes: said.budget === undefined ? undefined : parseSize("--budget", said.budget),
    repetitions: parseCount("--repetitions", said.repetitions),
    timeoutMs: parseDuration("--timeout", said.timeout),
    htmlFile: said.html,
    json: Boolean(said.json),
    apply: Boolean(said.apply),
    drop: Boolean(said.drop),
    yes: Boolean(said.yes),
    lockTimeoutMs: parseDuration("--lock-timeout", said.lockTimeout),
    statementTimeoutMs: parseDuration("--statement-timeout", said.statementTimeout),
  };
}

function checkedUrl(option: string, text: string): string {
  const url = URL.parse(text);
  // Not shown again: it may have a password in it.
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw badOption(option, "…", "an address like postgres://user:password@host:5432/name");
  }
  return text;
}

#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { registerDiff } from "./commands/diff.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEngines } from "./commands/engines.ts";
import { registerGrade } from "./commands/grade.ts";
import { registerHint } from "./commands/hint.ts";
import { registerList } from "./commands/list.ts";
import { registerNew } from "./commands/new.ts";
import { registerPack } from "./commands/pack.ts";
import { registerShell } from "./commands/shell.ts";
import { registerSoak } from "./commands/soak.ts";
import { registerStart } from "./commands/start.ts";
import { registerSubmit } from "./commands/submit.ts";
import { registerTest } from "./commands/test.ts";
import { registerTour } from "./commands/tour.ts";
import { registerVerify } from "./commands/verify.ts";
import { reportError } from "./output.ts";

// SIGUSR1 would open Node's inspector, to whoever sends it: a submission, say.
process.on("SIGUSR1", () => {});
// Nothing that a submission sends shall end us with an exit code that means something else.
process.on("uncaughtException", (error) => process.exit(reportError(error)));

const program = new Command("kata")
  .description("Database exercises, graded on real engines that really fail.")
  .showHelpAfterError("(add --help for what there is)")
  .exitOverride();

for (const register of [
  registerList,
  registerStart,
  registerGrade,
  registerHint,
  registerDiff,
  registerSubmit,
  registerShell,
  registerVerify,
  registerSoak,
  registerEngines,
  registerDoctor,
  registerNew,
  registerPack,
  registerTest,
  registerTour,
]) {
  register(program);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = reportError(error);
}

// Not left to Node: with sockets that were reset, its own clean-up sometimes waits for a handle that
// never closes, at full speed and for ever (seen with 24.21, in Environment::CleanupHandles).
await Promise.all(
  [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
  ),
);
process.exit();

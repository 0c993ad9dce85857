#!/usr/bin/env node
import module from "node:module";
import { ownCompileCache } from "./compile-cache.ts";

// Before the rest is loaded: to compile that takes longer than most commands do. Node 20 has no such cache.
module.enableCompileCache?.(ownCompileCache());
const { CommanderError } = await import("commander");
const { reportError } = await import("./output.ts");
const { kataProgram } = await import("./program.ts");

// SIGUSR1 would open Node's inspector, to whoever sends it: a submission, say.
process.on("SIGUSR1", () => {});
// Nothing that a submission sends shall end us with an exit code that means something else.
process.on("uncaughtException", (error) => process.exit(reportError(error)));
// Who reads what we say has had enough of it, as `head` has: what others end by SIGPIPE then, as a shell tells it.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 141 : reportError(error));
});

try {
  await kataProgram().parseAsync();
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

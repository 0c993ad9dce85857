/**
 * `pnpm --filter @db-katas/crdt-ledger dev`: starts PostgreSQL, two servers and the page. Ctrl-C ends all
 * of it. `PORT` chooses the port.
 */
import { Stage } from "./stage.ts";

const PORT = Number(process.env.PORT ?? 4280);
const asked = Promise.withResolvers<void>();
let ending = false;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // Somebody insists. PostgreSQL ends by itself when this process is gone.
    if (ending) process.exit(130);
    ending = true;
    asked.resolve();
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  say("Starting PostgreSQL, two servers and the page …");
  await using stage = await Stage.open({ port: PORT, watch: true, onProgress: say });
  say(`Open ${stage.url} twice, side by side, and draw. Ctrl-C ends everything.`);
  say(`Who issues the money: ${stage.url}?board=first&name=treasurer`);
  await asked.promise;
  say("Ending …");
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const inUse = /already in use|EADDRINUSE/.test(message);
  process.stderr.write(
    inUse
      ? `Port ${PORT} is taken. Choose another one: PORT=4281 pnpm --filter @db-katas/crdt-ledger dev\n`
      : `${message}\n`,
  );
  process.exitCode = 1;
}

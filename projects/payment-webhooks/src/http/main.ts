/** `pnpm serve`: one node behind HTTP, told by its environment; src/README.md has the variables. */
import { once } from "node:events";
import { validated } from "../config.ts";
import { WebhookError } from "../errors.ts";
import { Node } from "../node.ts";
import { migrate } from "../postgres/migrate.ts";
import { serve } from "./server.ts";

const { env } = process;

try {
  const config = validated({
    name: env.WEBHOOK_NODE ?? "a",
    postgres: env.WEBHOOK_POSTGRES_URL,
    redis: env.WEBHOOK_REDIS_URL,
    signingSecrets: env.WEBHOOK_SECRETS?.split(","),
    toleranceSeconds: Number(env.WEBHOOK_TOLERANCE_SECONDS ?? 300),
    requestBudgetMs: Number(env.WEBHOOK_BUDGET_MS ?? 2_000),
  });
  await migrate(config.postgres);
  await using door = await serve(new Node(config), Number(env.PORT ?? 8080), env.HOST);
  console.error(`${door.url}/webhooks`);
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
} catch (error) {
  if (!(error instanceof WebhookError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

/** What a node is told, checked once, before anything is opened. */
import { z } from "zod";
import { WebhookError } from "./errors.ts";

const schema = z.object({
  name: z.string().min(1),
  postgres: z.url({ protocol: /^postgres(ql)?$/ }),
  redis: z.url({ protocol: /^rediss?$/ }),
  signingSecrets: z.array(z.string().min(16)).min(1).readonly(),
  toleranceSeconds: z.number().positive(),
  requestBudgetMs: z.number().min(50),
});

export type Config = z.infer<typeof schema>;

/** @throws WebhookError `CONFIG_INVALID` */
export function validated(config: unknown): Config {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new WebhookError("CONFIG_INVALID", z.prettifyError(parsed.error));
}

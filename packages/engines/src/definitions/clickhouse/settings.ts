import { password, type RunContext } from "../../context.ts";

/** The one administrator; its name says that it isn't the submission's. */
export const adminName = "kata_admin";

export function adminPassword(context: RunContext): string {
  return password(context, "clickhouse admin");
}

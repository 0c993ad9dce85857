import { createHash, randomBytes } from "node:crypto";

export const adminName = "kata_admin";
/** As whom submissions connect. */
export const appName = "app";
export const databases = 1024;

/**
 * What a submission may do: everything but to administer or to disturb. Given back are commands
 * that are marked dangerous, yet which common clients need (ioredis's ready check sends INFO) or
 * which stay within the submission's own database.
 */
export const appRules = [
  "reset",
  "on",
  "~*",
  "&*",
  "+@all",
  "-@admin",
  "-@dangerous",
  "+info",
  "+keys",
  "+sort",
  "+flushdb",
  "+restore",
] as const;

/**
 * Rules that follow {@link appRules} where databases of a server are dealt out one by one. What stays
 * open is database 0, where each connection begins, and what Redis has only one of: channels,
 * scripts and functions. COPY may write into another database, and nobody reads there.
 */
export function confinedTo(database: number): string[] {
  return ["-select", `+select|${database}`, "-move"];
}

/** Redis stores and accepts passwords as SHA-256. */
function hashed(password: string): string {
  return `#${createHash("sha256").update(password).digest("hex")}`;
}

/** Works on 6.2 to 8. Every acknowledged write is on disk: that is what makes `kill` worth studying. */
export function configuration(options: {
  readonly bind: string;
  readonly port: number;
  readonly folder: string;
  readonly adminPassword: string;
  readonly appPassword: string;
}): string {
  const [, ...rules] = appRules;
  return `${[
    `bind ${options.bind}`,
    `port ${options.port}`,
    `dir "${options.folder}"`,
    "daemonize no",
    // At this level it logs each connection.
    "loglevel verbose",
    "appendonly yes",
    "appendfsync always",
    'save ""',
    `databases ${databases}`,
    // On, though nobody knows its password: Redis replays its append-only file as this user, and
    // would refuse what scripts and transactions wrote.
    `user default on ${hashed(randomBytes(32).toString("hex"))} ~* &* +@all`,
    `user ${adminName} on ${hashed(options.adminPassword)} ~* &* +@all`,
    `user ${appName} ${rules.join(" ")} ${hashed(options.appPassword)}`,
  ].join("\n")}\n`;
}

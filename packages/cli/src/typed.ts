/** Texts name commands as one types them with pnpm. Whom npm runs types them otherwise. */
const WITH_NPM: readonly (readonly [pnpm: string, npm: string])[] = [
  ["pnpm kata", "npx kata"],
  ["pnpm exec", "npx"],
  ["pnpm install", "npm install"],
];

/** @param agent who runs us, as package managers tell: `npm/11.6.2 node/v24.21.0 linux x64` */
export function asTypedHere(
  text: string,
  agent: string = process.env.npm_config_user_agent ?? "",
): string {
  if (!agent.startsWith("npm/")) return text;
  return WITH_NPM.reduce((said, [pnpm, npm]) => said.replaceAll(pnpm, npm), text);
}

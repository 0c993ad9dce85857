/** What exercises may be called. */
import { nameIllegal, titleIllegal, titleMissing } from "./errors.ts";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const NAME_LENGTH = 50;
const TITLE_LENGTH = 80;

/** @throws GeneratorError `NAME_ILLEGAL` */
export function checkName(name: string): void {
  if (NAME.test(name) && name.length <= NAME_LENGTH) return;
  const suggestion = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "")
    .slice(0, NAME_LENGTH)
    .replace(/-$/, "");
  throw nameIllegal(name, suggestion);
}

/** @throws GeneratorError `TITLE_MISSING`, `TITLE_ILLEGAL` */
export function checkTitle(title: string): void {
  if (title.trim() === "") throw titleMissing();
  if (/\p{Cc}/u.test(title.trim()) || title.length > TITLE_LENGTH) throw titleIllegal();
}

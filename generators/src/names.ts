/** What things may be called. */
import { faultNameIllegal, nameIllegal, titleIllegal, titleMissing } from "./errors.ts";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const CAMEL_CASE = /^[a-z][a-zA-Z0-9]*$/;
const NAME_LENGTH = 50;
const TITLE_LENGTH = 80;

/** @throws GeneratorError `NAME_ILLEGAL` */
export function checkName(name: string, what = "exercise"): void {
  if (NAME.test(name) && name.length <= NAME_LENGTH) return;
  const suggestion = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "")
    .slice(0, NAME_LENGTH)
    .replace(/-$/, "");
  throw nameIllegal(name, suggestion, what);
}

/** @throws GeneratorError `NAME_ILLEGAL` */
export function checkFaultName(name: string): void {
  if (!CAMEL_CASE.test(name) || name.length > NAME_LENGTH) throw faultNameIllegal(name);
}

/**
 * @param length the most characters that it may have
 * @throws GeneratorError `TITLE_MISSING`, `TITLE_ILLEGAL`
 */
export function checkTitle(title: string, what = "exercise", length = TITLE_LENGTH): void {
  if (title.trim() === "") throw titleMissing(what);
  if (/\p{Cc}/u.test(title.trim()) || title.length > length) throw titleIllegal(what, length);
}

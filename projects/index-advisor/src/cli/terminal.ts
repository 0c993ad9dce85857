/** Control characters but for line feed and tab, and those that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Statements are anybody's: what a terminal would obey in them is only shown. */
export function shown(text: string): string {
  return text.replaceAll(UNSEEN, "\ufffd");
}

/** The same for JSON, which stays what it is. */
export function shownInJson(json: string): string {
  return json.replaceAll(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

import { Markup, html as markup } from "./markup.ts";

export interface Page {
  readonly title: string;
  /** CSS, whose author is trusted: nothing is escaped. */
  readonly style: string;
  /** What is within `<body>`. */
  readonly body: Markup;
}

/** One file that needs nothing else. Its own policy forbids scripts, and whatever is not within it. */
export function htmlPage({ title, style, body }: Page): string {
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>${body}</body>
</html>`;
  return `${page.text}\n`;
}

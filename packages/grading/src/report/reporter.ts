import { githubSummary } from "./github.ts";
import { gradescope } from "./gradescope.ts";
import { html } from "./html/page.ts";
import { junit } from "./junit.ts";
import { countOf, type Scorecard } from "./scorecard.ts";

/** A form that a scorecard can be written in. */
export interface Reporter {
  /** For `--help`. */
  readonly summary: string;
  /** What the file is called unless somebody says otherwise. */
  readonly file: string;
  render(scorecard: Scorecard): string;
}

/** By the names that `--report` takes. To add one: a file here, and a line. */
export const reporters = {
  json: {
    summary: "counts and the scorecard, for programs",
    file: "scorecard.json",
    render: (scorecard) => `${JSON.stringify({ ...countOf(scorecard), scorecard }, null, 2)}\n`,
  },
  html: {
    summary: "a page for people, with a timeline per check",
    file: "scorecard.html",
    render: html,
  },
  junit: { summary: "JUnit XML, for CI servers", file: "junit.xml", render: junit },
  gradescope: { summary: "Gradescope's results.json", file: "results.json", render: gradescope },
  github: { summary: "a job summary in Markdown", file: "summary.md", render: githubSummary },
} as const satisfies Record<string, Reporter>;

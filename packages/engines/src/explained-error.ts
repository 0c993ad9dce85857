/** The errors of the packages that know this one: what happened, why it probably did, and what to type. */

export interface Explanation {
  readonly likelyCause?: string;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** Each package has a class of its own of it, with codes of its own. */
export abstract class ExplainedError<Code extends string> extends Error {
  readonly code: Code;
  readonly likelyCause: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: Code, happened: string, { likelyCause, remedy, cause }: Explanation = {}) {
    const lines = [happened];
    if (likelyCause) lines.push(`Likely cause: ${likelyCause}`);
    if (remedy) lines.push(`What to do: ${remedy}`);
    super(lines.join("\n"), cause === undefined ? {} : { cause });
    this.code = code;
    this.likelyCause = likelyCause;
    this.remedy = remedy;
  }
}

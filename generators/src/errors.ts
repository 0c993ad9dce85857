/** Everything that can go wrong here, for people. */
export type GeneratorErrorCode =
  | "NAME_ILLEGAL"
  | "NAME_TAKEN"
  | "TITLE_MISSING"
  | "TITLE_ILLEGAL"
  | "ENGINES_EMPTY"
  | "ENGINE_UNKNOWN"
  | "ENGINE_WITHOUT_TEMPLATES"
  | "WORKSPACE_NOT_FOUND"
  | "FOLDER_NOT_WRITABLE"
  | "PATH_TAKEN"
  | "FILE_CHANGED"
  | "INSTALL_FAILED"
  | "ATTEMPT_EXISTS";

interface Details {
  readonly likelyCause?: string;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** What happened, why it probably did, and what to type next. */
export class GeneratorError extends Error {
  override readonly name = "GeneratorError";
  readonly code: GeneratorErrorCode;
  readonly likelyCause: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: GeneratorErrorCode, happened: string, details: Details = {}) {
    const lines = [happened];
    if (details.likelyCause) lines.push(`Likely cause: ${details.likelyCause}`);
    if (details.remedy) lines.push(`What to do: ${details.remedy}`);
    super(lines.join("\n"), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.likelyCause = details.likelyCause;
    this.remedy = details.remedy;
  }
}

export function nameIllegal(name: string, suggestion: string): GeneratorError {
  return new GeneratorError("NAME_ILLEGAL", `"${name}" can't be the name of an exercise.`, {
    likelyCause:
      "a name is the folder and the package: lower-case letters, digits and single hyphens, at most 50, starting with a letter",
    remedy: `pnpm kata new ${suggestion || "my-exercise"}`,
  });
}

export function nameTaken(name: string, by: string): GeneratorError {
  return new GeneratorError("NAME_TAKEN", `The name ${name} is taken by ${by}.`, {
    remedy: `choose another one, for example: pnpm kata new ${name}-2`,
  });
}

export function titleMissing(): GeneratorError {
  return new GeneratorError("TITLE_MISSING", "The exercise has no title.", {
    likelyCause: "the title is empty, or only white space",
    remedy: 'pnpm kata new my-exercise --title "What people will read in kata list"',
  });
}

export function titleIllegal(): GeneratorError {
  return new GeneratorError(
    "TITLE_ILLEGAL",
    "The title is not one line of at most 80 characters.",
    {
      likelyCause: "it was pasted with a line break, or it is a summary rather than a title",
      remedy: "shorten it; there is room for a summary in kata.ts",
    },
  );
}

export function enginesEmpty(known: readonly string[]): GeneratorError {
  return new GeneratorError("ENGINES_EMPTY", "The exercise has no engine to be graded on.", {
    remedy: `pnpm kata new my-exercise --engines ${known.join(",")}`,
  });
}

export function engineUnknown(name: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("ENGINE_UNKNOWN", `There is no engine called "${name}".`, {
    likelyCause: "a typing error, or an engine that packages/engines does not define yet",
    remedy: `choose among ${known.join(", ")}`,
  });
}

export function engineWithoutTemplates(name: string, folder: string): GeneratorError {
  return new GeneratorError(
    "ENGINE_WITHOUT_TEMPLATES",
    `The generator can't write code for ${name} yet.`,
    {
      likelyCause: `the engine exists, but ${folder} holds no part.json`,
      remedy: "copy the folder of another engine beside it, and write its put and get",
    },
  );
}

export function workspaceNotFound(folder: string): GeneratorError {
  return new GeneratorError("WORKSPACE_NOT_FOUND", `${folder} is not a db-katas workspace.`, {
    likelyCause: "it has neither projects/ nor a package.json",
    remedy: "cd into your clone of db-katas, or into what `pnpm create db-kata` made",
  });
}

export function folderNotWritable(folder: string, cause: unknown): GeneratorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GeneratorError(
    "FOLDER_NOT_WRITABLE",
    `Nothing was written to ${folder}, because not all could be: ${reason}`,
    {
      likelyCause: "the folder belongs to another user, the disk is full, or it is read-only",
      remedy: `ls -ld ${folder}; df -h ${folder}`,
      cause,
    },
  );
}

export function pathTaken(path: string): GeneratorError {
  return new GeneratorError("PATH_TAKEN", `${path} is there already, and stays as it is.`, {
    remedy: "choose another name, or move it away first",
  });
}

export function fileChanged(path: string): GeneratorError {
  return new GeneratorError("FILE_CHANGED", `${path} has changed meanwhile; nothing was written.`, {
    likelyCause: "an editor, or another command, wrote to it at the same moment",
    remedy: "run the command again",
  });
}

export function installFailed(folder: string, output: string, cause: unknown): GeneratorError {
  return new GeneratorError("INSTALL_FAILED", `Installing packages failed:\n${output}`, {
    likelyCause: "pnpm is missing, or a package is neither in its store nor to be had",
    remedy: `cd ${folder} && pnpm install`,
    cause,
  });
}

export function attemptExists(name: string, folder: string): GeneratorError {
  return new GeneratorError("ATTEMPT_EXISTS", `You have already started ${name}, in ${folder}.`, {
    remedy: `pnpm kata grade ${name}   (to start over, move that folder away first)`,
  });
}

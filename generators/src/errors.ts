import { ExplainedError } from "@db-katas/engines/explained-error";

/** Everything that can go wrong here, for people. */
export type GeneratorErrorCode =
  | "NAME_ILLEGAL"
  | "NAME_TAKEN"
  | "TITLE_MISSING"
  | "TITLE_ILLEGAL"
  | "ENGINES_EMPTY"
  | "ENGINE_UNKNOWN"
  | "ENGINE_WITHOUT_TEMPLATES"
  | "SHAPE_UNKNOWN"
  | "TEMPLATES_TOO_NEW"
  | "WORKSPACE_NOT_FOUND"
  | "FOLDER_NOT_WRITABLE"
  | "PATH_TAKEN"
  | "FILE_CHANGED"
  | "INSTALL_FAILED"
  | "ATTEMPT_EXISTS"
  | "ANSWER_MISSING"
  | "EXERCISE_UNKNOWN"
  | "MANIFEST_UNREADABLE"
  | "CHECK_UNKNOWN"
  | "MUTANT_UNKNOWN"
  | "VARIANT_UNKNOWN"
  | "FAULT_UNKNOWN"
  | "NOTHING_TO_COPY"
  | "NO_CHANGES"
  | "NOT_IN_GIT"
  | "CLONE_NEEDED"
  | "RECIPE_UNREADABLE";

/** What happened, why it probably did, and what to type next. */
export class GeneratorError extends ExplainedError<GeneratorErrorCode> {
  override readonly name = "GeneratorError";
}

export function nameIllegal(name: string, suggestion: string, what = "exercise"): GeneratorError {
  const rule = "lower-case letters, digits and single hyphens, at most 50, starting with a letter";
  const article = /^[aeiou]/.test(what) ? "an" : "a";
  return new GeneratorError("NAME_ILLEGAL", `"${name}" can't be the name of ${article} ${what}.`, {
    likelyCause:
      what === "exercise"
        ? `a name is the folder and the package: ${rule}`
        : `a name is part of a path: ${rule}`,
    remedy:
      what === "exercise"
        ? `pnpm kata new ${suggestion || "my-exercise"}`
        : `call it ${suggestion || `my-${what}`}`,
  });
}

export function faultNameIllegal(name: string): GeneratorError {
  return new GeneratorError("NAME_ILLEGAL", `"${name}" can't be the name of a fault.`, {
    likelyCause: "a name is a file and what it exports: a word in camelCase, at most 50 letters",
    remedy: "call it slowDisk, for instance",
  });
}

export function nameTaken(name: string, by: string): GeneratorError {
  return new GeneratorError("NAME_TAKEN", `The name ${name} is taken by ${by}.`, {
    remedy: `choose another one, for example: pnpm kata new ${name}-2`,
  });
}

export function titleMissing(what: string): GeneratorError {
  return new GeneratorError("TITLE_MISSING", `The ${what} has no title.`, {
    likelyCause: "the title is empty, or only white space",
    remedy:
      what === "exercise"
        ? 'pnpm kata new my-exercise --title "What people will read in kata list"'
        : '--title "What people will read"',
  });
}

export function titleIllegal(what: string, length: number): GeneratorError {
  const isExercise = what === "exercise";
  return new GeneratorError(
    "TITLE_ILLEGAL",
    `The ${isExercise ? "title" : `${what}'s title`} is not one line of at most ${length} characters.`,
    {
      likelyCause: "it was pasted with a line break, or it is a summary rather than a title",
      remedy: isExercise ? "shorten it; there is room for a summary in kata.ts" : "shorten it",
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

/** @param why what speaks against it; undefined when nobody has written them yet */
export function engineWithoutTemplates(name: string, folder: string, why?: string): GeneratorError {
  if (why !== undefined) {
    return new GeneratorError(
      "ENGINE_WITHOUT_TEMPLATES",
      `There are no exercises to be made for ${name}: ${why}.`,
    );
  }
  return new GeneratorError(
    "ENGINE_WITHOUT_TEMPLATES",
    `The generator can't write code for ${name} yet.`,
    {
      likelyCause: `the engine exists, but ${folder} holds no part.json`,
      remedy: "copy the folder of another engine beside it, and write its put and get",
    },
  );
}

export function shapeUnknown(name: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("SHAPE_UNKNOWN", `There is no shape called "${name}".`, {
    likelyCause: "a typing error; a shape is how the grader calls app nodes",
    remedy: `choose among ${known.join(", ")}`,
  });
}

export function templatesTooNew(): GeneratorError {
  return new GeneratorError("TEMPLATES_TOO_NEW", "Its newer templates ask for newer tools.", {
    remedy: "run kata update again once those are installed",
  });
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

export function answerMissing(command: string, message: string, flag: string): GeneratorError {
  return new GeneratorError("ANSWER_MISSING", `Nothing says: ${message}`, {
    likelyCause: "there is no terminal to ask on",
    remedy: `add ${flag}; ${command} --help lists all there is to say`,
  });
}

export function exerciseUnknown(name: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("EXERCISE_UNKNOWN", `There is no exercise ${name} in projects/.`, {
    likelyCause: known.length > 0 ? `there are ${known.join(", ")}` : "there is none yet",
    remedy: known.length > 0 ? "name one of these" : "pnpm kata new my-exercise --engines postgres",
  });
}

export function manifestUnreadable(file: string, cause: unknown): GeneratorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GeneratorError("MANIFEST_UNREADABLE", `${file} can't be read: ${reason}`, {
    remedy: "mend it first: what is new is made after what is there",
    cause,
  });
}

export function checkUnknown(id: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("CHECK_UNKNOWN", `There is no check called ${id}.`, {
    likelyCause: `the exercise's checks are ${known.join(", ") || "none"}`,
  });
}

export function mutantUnknown(name: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("MUTANT_UNKNOWN", `There is no mutant called ${name}.`, {
    likelyCause: `the exercise's mutants are ${known.join(", ") || "none"}`,
  });
}

export function variantUnknown(name: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("VARIANT_UNKNOWN", `There is no variant called ${name}.`, {
    likelyCause: `the exercise's variants are ${known.join(", ") || "none"}`,
  });
}

export function faultUnknown(name: string, known: readonly string[]): GeneratorError {
  return new GeneratorError("FAULT_UNKNOWN", `There is no fault called ${name}.`, {
    likelyCause: `the faults are ${known.join(", ")}`,
  });
}

/** @param checks that no mutant must fail; none where that is true of all checks */
export function nothingToCopy(kata: string, checks: readonly string[]): GeneratorError {
  const what = checks.length > 0 ? checks.join(" and ") : "any check";
  return new GeneratorError(
    "NOTHING_TO_COPY",
    `Of ${kata}, no mutant must fail ${what}, so there is nothing to begin with.`,
    {
      likelyCause: "what is new begins as something like it that is proven to work",
      remedy:
        "name another one with --like; or change src/ as somebody would who gets it wrong, and " +
        `pnpm kata new mutant ${kata} <name> --must ${checks.join(" ") || "<check>"} --changes HEAD`,
    },
  );
}

export function noChanges(
  exercise: string,
  origin: string,
  since: string,
  cause?: unknown,
): GeneratorError {
  return new GeneratorError("NO_CHANGES", `In ${exercise}, ${origin}/ is as it was at ${since}.`, {
    likelyCause:
      "the wrong answer isn't written yet, or git doesn't know that commit, or its files",
    remedy: `change ${origin}/, look at git diff ${since} -- ${origin}, and run the command again`,
    cause,
  });
}

export function notInGit(exercise: string, origin: string, since: string): GeneratorError {
  return new GeneratorError("NOT_IN_GIT", `At ${since} there is no ${origin}/ of ${exercise}.`, {
    likelyCause: "the exercise was made after that, and isn't committed yet",
    remedy: `put the right answer back; git add ${exercise}; make it wrong again; and run the command with --changes $(git write-tree)`,
  });
}

export function cloneNeeded(what: string, root: string): GeneratorError {
  return new GeneratorError("CLONE_NEEDED", `There is no place for ${what} in ${root}.`, {
    likelyCause: "engines and faults are part of db-katas itself, in packages/engines",
    remedy: "run it in a clone of db-katas",
  });
}

export function recipeUnreadable(file: string, fault: string): GeneratorError {
  return new GeneratorError("RECIPE_UNREADABLE", `${file} has no scenario of ${fault} to copy.`, {
    likelyCause: "it is written in another way than the others, or not there",
    remedy: "name another fault with --like",
  });
}

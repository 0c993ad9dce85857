import { ExplainedError } from "@db-katas/engines/explained-error";

export type CreateErrorCode =
  | "FOLDER_NOT_EMPTY"
  | "FOLDER_NOT_WRITABLE"
  | "KATA_UNKNOWN"
  | "NOTHING_CHOSEN"
  | "ENGINES_MISSING"
  | "ENGINE_UNKNOWN"
  | "COMMAND_FAILED"
  | "INTERRUPTED";

/** What happened, why it probably did, and what to type. */
export class CreateError extends ExplainedError<CreateErrorCode> {
  override readonly name = "CreateError";
}

export function folderNotEmpty(folder: string, entries: readonly string[]): CreateError {
  const shown = entries.slice(0, 3).join(", ");
  const more = entries.length > 3 ? `, and ${entries.length - 3} more` : "";
  return new CreateError("FOLDER_NOT_EMPTY", `${folder} is not empty: ${shown}${more}.`, {
    remedy: "name another folder, or add --force: what is there stays, and nothing is overwritten",
  });
}

export function wouldOverwrite(folder: string, entries: readonly string[]): CreateError {
  return new CreateError(
    "FOLDER_NOT_EMPTY",
    `${folder} has files that would be overwritten: ${entries.join(", ")}.`,
    { remedy: "name another folder, or move those away first" },
  );
}

export function folderNotWritable(folder: string, cause: unknown): CreateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CreateError("FOLDER_NOT_WRITABLE", `${folder} could not be written: ${reason}`, {
    likelyCause: "it belongs to another user, the disk is full, or it is read-only",
    remedy: "name a folder that you may write; nothing was left behind",
    cause,
  });
}

export function kataUnknown(name: string, known: readonly string[]): CreateError {
  return new CreateError("KATA_UNKNOWN", `There is no exercise called "${name}".`, {
    likelyCause: `there are ${known.join(", ")}`,
    remedy: `pnpm create db-kata --kata ${known[0]}`,
  });
}

export function nothingChosen(known: readonly string[]): CreateError {
  return new CreateError("NOTHING_CHOSEN", "Nothing says what to begin with.", {
    likelyCause: "there is no terminal to ask on, and neither --kata nor --new is given",
    remedy: `pnpm create db-kata --kata ${known[0]}`,
  });
}

export function enginesMissing(known: readonly string[]): CreateError {
  return new CreateError("ENGINES_MISSING", "A new exercise needs engines to be graded on.", {
    remedy: `add --engines ${known.join(",")}`,
  });
}

export function engineUnknown(name: string, known: readonly string[]): CreateError {
  return new CreateError("ENGINE_UNKNOWN", `A new exercise can't be made for "${name}".`, {
    likelyCause: `exercises are made for ${known.join(", ")}`,
  });
}

export function commandFailed(command: string, folder: string): CreateError {
  return new CreateError("COMMAND_FAILED", `"${command}" failed.`, {
    likelyCause: "what it says above",
    remedy: `your files are there: cd ${folder} && ${command}`,
  });
}

export function interrupted(command: string, folder: string): CreateError {
  return new CreateError("INTERRUPTED", `"${command}" was ended by Ctrl-C.`, {
    remedy: `your files are there: cd ${folder} && ${command}`,
  });
}

export function writingInterrupted(): CreateError {
  return new CreateError("INTERRUPTED", "It was ended by Ctrl-C. Nothing was written.");
}

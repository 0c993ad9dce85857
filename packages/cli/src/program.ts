import { Command } from "commander";
import { registerDiff } from "./commands/diff.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEngines } from "./commands/engines.ts";
import { registerFalsify } from "./commands/falsify.ts";
import { registerGrade } from "./commands/grade.ts";
import { registerHint } from "./commands/hint.ts";
import { registerList } from "./commands/list.ts";
import { registerNew } from "./commands/new.ts";
import { registerPack } from "./commands/pack.ts";
import { registerPredict } from "./commands/predict.ts";
import { registerRetro } from "./commands/retro.ts";
import { registerShell } from "./commands/shell.ts";
import { registerSoak } from "./commands/soak.ts";
import { registerStart } from "./commands/start.ts";
import { registerSubmit } from "./commands/submit.ts";
import { registerTest } from "./commands/test.ts";
import { registerTour } from "./commands/tour.ts";
import { registerUpdate } from "./commands/update.ts";
import { registerVerify } from "./commands/verify.ts";
import { asTypedHere } from "./typed.ts";

/** In the order in which help lists them. */
const commands = [
  registerList,
  registerStart,
  registerPredict,
  registerGrade,
  registerHint,
  registerRetro,
  registerDiff,
  registerSubmit,
  registerShell,
  registerVerify,
  registerSoak,
  registerFalsify,
  registerEngines,
  registerDoctor,
  registerNew,
  registerUpdate,
  registerPack,
  registerTest,
  registerTour,
];

/** The `kata` command, with everything that it knows. */
export function kataProgram(): Command {
  const program = new Command("kata")
    .description("Database exercises, graded on real engines that really fail.")
    .showHelpAfterError("(add --help for what there is)")
    .configureOutput({
      writeOut: (text) => process.stdout.write(asTypedHere(text)),
      writeErr: (text) => process.stderr.write(asTypedHere(text)),
    })
    .exitOverride();
  for (const register of commands) register(program);
  return program;
}

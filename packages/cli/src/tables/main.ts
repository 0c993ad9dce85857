/** `pnpm tables`: brings the tables of the workspace's README up to date. */
import { kataProgram } from "../program.ts";
import { findWorkspace } from "../workspace.ts";
import { writeTables } from "./tables.ts";

const isChanged = await writeTables(await findWorkspace(process.cwd()), kataProgram());
console.log(isChanged ? "README.md has changed" : "README.md is up to date");

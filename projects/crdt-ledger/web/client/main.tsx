/** `?name=` is who, `?board=` which document, `?server=` the only server to go to. */
import init from "loro-crdt/web/loro_wasm.js";
import { render } from "preact";
import { isDocumentId } from "../../src/model.ts";
import { App } from "./app.tsx";
import { Desk } from "./desk.ts";
import { askDoors } from "./doors.ts";
import { Join } from "./join.tsx";
import { Session } from "./session.ts";
import { takeActor } from "./sync/actor.ts";
import { forgetOthers } from "./sync/keep.ts";

const LONGEST_NAME = 30;

const root = document.getElementById("app") as HTMLElement;
const query = new URLSearchParams(location.search);
const name = query.get("name");
const board = query.get("board") ?? "first";
const named = name !== null && name.length <= LONGEST_NAME && /^[a-z0-9-]+$/.test(name);
if (named && isDocumentId(board)) {
  open(name, board).catch((error: unknown) => {
    root.textContent = error instanceof Error ? error.message : String(error);
  });
} else {
  render(<Join />, root);
}

async function open(name: string, document: string): Promise<void> {
  const [doors] = await Promise.all([askDoors(), init()]);
  await forgetOthers(doors.store);
  const actor = await takeActor(doors.store, document, name, doors.treasurer);
  const session = await Session.open({ doors, document, actor, server: query.get("server") });
  render(<App desk={new Desk(session)} />, root);
}

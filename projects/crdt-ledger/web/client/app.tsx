/** The page: the board, and around it what is done with it. */
import { useEffect } from "preact/hooks";
import { type Action, SELECTION_ACTIONS, UNDO } from "./actions.ts";
import { Board } from "./board/board.tsx";
import type { Desk } from "./desk.ts";
import { LedgerPanel } from "./panels/ledger.tsx";
import { Notice, Others, Presence } from "./panels/presence.tsx";
import { SelectionPanel } from "./panels/selection.tsx";
import { Timeline } from "./panels/timeline.tsx";
import { TOOL_KEYS, Toolbar } from "./panels/toolbar.tsx";

const ACTIONS: readonly Action[] = [UNDO, ...SELECTION_ACTIONS];
const ZOOM_STEP = 1.25;

export function App({ desk }: { readonly desk: Desk }) {
  useEffect(() => {
    const keyDown = (event: KeyboardEvent) => takeKey(desk, event);
    addEventListener("keydown", keyDown);
    return () => removeEventListener("keydown", keyDown);
  }, [desk]);
  return (
    <main class={desk.past.value ? "past" : ""}>
      <header>
        <h1>{desk.session.config.document}</h1>
        <Toolbar desk={desk} />
        <Presence session={desk.session} />
      </header>
      <Board desk={desk} />
      <aside aria-label="Details">
        <Others session={desk.session} />
        <SelectionPanel desk={desk} />
        <LedgerPanel desk={desk} />
      </aside>
      <Notice session={desk.session} />
      <footer>
        <Timeline desk={desk} />
        <div class="buttons">
          <button type="button" aria-label="Zoom out" onClick={() => zoom(desk, 1 / ZOOM_STEP)}>
            −
          </button>
          <button type="button" aria-label="Zoom in" onClick={() => zoom(desk, ZOOM_STEP)}>
            +
          </button>
          <button type="button" onClick={() => desk.fit(boardSize())}>
            Show all
          </button>
        </div>
      </footer>
    </main>
  );
}

function takeKey(desk: Desk, event: KeyboardEvent): void {
  if (event.target instanceof Element && event.target.closest("input, textarea")) return;
  if (desk.past.value) return;
  const withControl = event.ctrlKey || event.metaKey || event.altKey;
  if (desk.typedAhead !== null && event.key.length === 1 && !withControl) {
    desk.typedAhead += event.key;
    event.preventDefault();
    return;
  }
  const action = ACTIONS.find(({ matches }) => matches(event));
  if (action) {
    event.preventDefault();
    if (action.can(desk)) action.run(desk);
    return;
  }
  const tool = TOOL_KEYS[event.key.toLowerCase()];
  if (tool && !withControl) desk.tool.value = tool;
}

function boardSize(): DOMRect {
  const board = document.getElementById("board");
  if (!board) throw new Error("There is no board on this page.");
  return board.getBoundingClientRect();
}

function zoom(desk: Desk, factor: number): void {
  const { width, height } = boardSize();
  desk.zoom(factor, { x: width / 2, y: height / 2 });
}

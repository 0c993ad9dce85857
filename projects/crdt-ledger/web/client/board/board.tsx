/** The board: shapes, what this person is at, and where others point. */
import { useEffect, useRef } from "preact/hooks";
import type { Shape } from "../../../contract.ts";
import { addInTheMiddle, nudge } from "../actions.ts";
import { type Desk, type Draft, labelOf } from "../desk.ts";
import { nameOf } from "../sync/actor.ts";
import { Gestures } from "./gestures.ts";
import { ShapeMark } from "./shape.tsx";

const HANDLE = 12;
const HUES = 360;

export function Board({ desk }: { readonly desk: Desk }) {
  const board = useRef<SVGSVGElement>(null);
  const gestures = useRef<Gestures>(null);
  useEffect(() => {
    if (board.current) gestures.current = new Gestures(desk, board.current);
  }, [desk]);
  const { x, y, scale } = desk.camera.value;
  const { shapes } = desk.view.value;
  const past = desk.past.value !== null;

  const keyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      gestures.current?.cancel();
      desk.select([]);
      desk.tool.value = "select";
    } else if (nudge(desk, event)) {
      event.preventDefault();
    } else if (event.key === "Enter" && event.target === board.current && !past) {
      const { width = 0, height = 0 } = board.current?.getBoundingClientRect() ?? {};
      void addInTheMiddle(desk, { x: x + width / scale / 2, y: y + height / scale / 2 });
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no fieldsets
    <svg
      ref={board}
      id="board"
      class={`tool-${past ? "hand" : desk.tool.value}`}
      // SVG tells capitals from small letters.
      tabindex={0}
      role="group"
      aria-label={`Board with ${shapes.length} shapes${past ? ", as it was" : ""}`}
      onKeyDown={keyDown}
    >
      <g transform={`scale(${scale}) translate(${-x} ${-y})`}>
        <g id="shapes">
          {shapes.map((shape) => (
            <TopShape key={shape.id} desk={desk} shape={shape} />
          ))}
        </g>
        <Hand desk={desk} />
        <Pointers desk={desk} />
      </g>
    </svg>
  );
}

/** One that keys can reach; what is in it goes with it. */
function TopShape({ desk, shape }: { readonly desk: Desk; readonly shape: Shape }) {
  const selected = desk.selected.value.has(shape.id);
  const draft = selected ? desk.draft.value : null;
  const by = draft?.kind === "move" ? draft.by : { x: 0, y: 0 };
  const choose = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) desk.toggle(shape.id);
    else desk.select([shape.id]);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no buttons
    <g
      data-shape={shape.id}
      class="shape"
      transform={`translate(${by.x} ${by.y})`}
      tabindex={0}
      role="button"
      aria-pressed={selected}
      aria-label={labelOf(shape)}
      onKeyDown={choose}
    >
      <ShapeMark shape={shape} />
    </g>
  );
}

/** What is chosen, and what is being done with it. */
function Hand({ desk }: { readonly desk: Desk }) {
  const draft = desk.draft.value;
  const { scale } = desk.camera.value;
  const by = draft?.kind === "move" ? draft.by : { x: 0, y: 0 };
  const boxes = desk.selection.value.flatMap((found) => {
    const box = desk.boxOnBoard(found);
    return box ? [{ id: found.shape.id, shape: found.shape, box }] : [];
  });
  const [only] = boxes.length === 1 ? boxes : [];
  const sizeable = only && only.shape.type !== "group" && only.shape.type !== "text" ? only : null;
  const grown = draft?.kind === "resize" ? draft.by : { x: 0, y: 0 };
  return (
    <g id="hand" stroke-width={1 / scale}>
      {boxes.map(({ id, box }) => (
        <rect
          key={id}
          class="chosen"
          x={box.x + by.x}
          y={box.y + by.y}
          width={Math.max(0, box.width + grown.x)}
          height={Math.max(0, box.height + grown.y)}
        />
      ))}
      {sizeable && (
        <rect
          data-handle
          class="handle"
          x={
            end(sizeable.box.x, sizeable.box.width, sizeable.shape.width) +
            grown.x -
            HANDLE / scale / 2
          }
          y={
            end(sizeable.box.y, sizeable.box.height, sizeable.shape.height) +
            grown.y -
            HANDLE / scale / 2
          }
          width={HANDLE / scale}
          height={HANDLE / scale}
        />
      )}
      <DraftMark draft={draft} color={desk.color.value} />
    </g>
  );
}

/** The end that the size is counted to: a line may go to the left, or up. */
function end(start: number, length: number, signed: number): number {
  return signed < 0 ? start : start + length;
}

function DraftMark({ draft, color }: { readonly draft: Draft | null; readonly color: string }) {
  switch (draft?.kind) {
    case "shape":
      return <ShapeMark shape={{ id: "draft", text: "", children: [], ...draft.properties }} />;
    case "pen":
      return (
        <polyline
          class="pen"
          points={draft.points.map(({ x, y }) => `${x},${y}`).join(" ")}
          stroke={color}
        />
      );
    case "mark":
      return <rect class="mark" {...draft.box} />;
    default:
      return null;
  }
}

function Pointers({ desk }: { readonly desk: Desk }) {
  const { scale } = desk.camera.value;
  return (
    <g id="pointers">
      {desk.session.pointers.value.map(({ actor, x, y }) => {
        const hue = [...actor].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % HUES;
        return (
          <g key={actor} transform={`translate(${x} ${y}) scale(${1 / scale})`} data-actor={actor}>
            <path d="M0 0 L0 16 L4.5 12 L10.5 12 Z" fill={`hsl(${hue} 70% 40%)`} />
            <text x={12} y={24} font-size={12} fill={`hsl(${hue} 70% 30%)`}>
              {nameOf(actor)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

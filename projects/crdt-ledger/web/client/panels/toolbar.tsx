/** What to draw with, and the way back. */
import { type Action, UNDO } from "../actions.ts";
import { COLORS, type Desk, TOOLS, type Tool } from "../desk.ts";

const SIGNS: Readonly<Record<Tool, string>> = {
  select: "⇱",
  hand: "✥",
  rectangle: "▭",
  ellipse: "◯",
  line: "╱",
  text: "T",
  pen: "✎",
};
export const TOOL_KEYS: Readonly<Record<string, Tool>> = {
  v: "select",
  h: "hand",
  r: "rectangle",
  e: "ellipse",
  l: "line",
  t: "text",
  p: "pen",
};
const KEY_OF = Object.fromEntries(Object.entries(TOOL_KEYS).map(([key, tool]) => [tool, key]));

export function Toolbar({ desk }: { readonly desk: Desk }) {
  const past = desk.past.value !== null;
  return (
    <div class="toolbar" role="toolbar" aria-label="Tools">
      {TOOLS.map((tool) => (
        <button
          key={tool}
          type="button"
          disabled={past}
          aria-pressed={desk.tool.value === tool}
          aria-label={tool}
          aria-keyshortcuts={KEY_OF[tool]}
          title={`${tool} (${KEY_OF[tool]?.toUpperCase()})`}
          onClick={() => {
            desk.tool.value = tool;
          }}
        >
          <span aria-hidden="true">{SIGNS[tool]}</span>
        </button>
      ))}
      <Colors desk={desk} />
      <ActionButton desk={desk} action={UNDO} />
    </div>
  );
}

/** For what is drawn next, and for what is chosen. */
function Colors({ desk }: { readonly desk: Desk }) {
  const choose = (color: string) => {
    desk.color.value = color;
    const chosen = desk.selection.value;
    void desk.session.edit(
      chosen.map(({ shape }) => ({ kind: "set", shape: shape.id, properties: { color } })),
    );
  };
  return (
    <fieldset class="colors">
      <legend>Colour</legend>
      {Object.entries(COLORS).map(([name, color]) => (
        <label key={color} style={{ background: color }} title={name}>
          <input
            type="radio"
            name="color"
            aria-label={name}
            checked={desk.color.value === color}
            onChange={() => choose(color)}
          />
        </label>
      ))}
    </fieldset>
  );
}

export function ActionButton({ desk, action }: { readonly desk: Desk; readonly action: Action }) {
  return (
    <button
      type="button"
      disabled={desk.past.value !== null || !action.can(desk)}
      title={`${action.name} (${action.keys})`}
      onClick={() => action.run(desk)}
    >
      {action.name}
    </button>
  );
}

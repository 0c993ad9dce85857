/** What can be done with what is chosen. */
import { SELECTION_ACTIONS } from "../actions.ts";
import { type Desk, labelOf } from "../desk.ts";
import { TextField } from "./text-field.tsx";
import { ActionButton } from "./toolbar.tsx";

export function SelectionPanel({ desk }: { readonly desk: Desk }) {
  const chosen = desk.selection.value;
  const [only] = chosen.length === 1 ? chosen : [];
  if (chosen.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="chosen">
      <h2 id="chosen">{only ? labelOf(only.shape) : `${chosen.length} shapes`}</h2>
      <div class="buttons">
        {SELECTION_ACTIONS.map((action) => (
          <ActionButton key={action.name} desk={desk} action={action} />
        ))}
      </div>
      {only && only.shape.type !== "group" && (
        <TextField key={only.shape.id} desk={desk} shape={only.shape} />
      )}
    </section>
  );
}

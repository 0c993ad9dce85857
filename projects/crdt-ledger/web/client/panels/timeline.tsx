/** The board as it was: a slider over all changes that were ever made. */
import type { Desk } from "../desk.ts";
import { nameOf } from "../sync/actor.ts";

export function Timeline({ desk }: { readonly desk: Desk }) {
  const past = desk.past.value;
  if (!past) {
    return (
      <button type="button" onClick={() => void desk.openPast()}>
        History
      </button>
    );
  }
  const { history, step } = past;
  const { length } = history.steps;
  const writer = history.steps[step - 1]?.actor;
  const said = writer ? `Change ${step} of ${length}, by ${nameOf(writer)}` : "Before all changes";
  return (
    <div class="timeline">
      <label for="time">{said}</label>
      <input
        id="time"
        type="range"
        min={0}
        max={length}
        value={step}
        aria-valuetext={said}
        onInput={({ currentTarget }) => desk.stepTo(currentTarget.valueAsNumber)}
      />
      <button type="button" onClick={() => desk.closePast()}>
        Back to now
      </button>
    </div>
  );
}

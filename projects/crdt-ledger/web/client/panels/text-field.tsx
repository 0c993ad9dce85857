/** A shape's text, which others may be typing into as well. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Shape } from "../../../contract.ts";
import { find, type as typing } from "../edits.ts";
import type { Session } from "../session.ts";
import { moved, rebase, spliceBetween } from "../splice.ts";

export function TextField({
  session,
  shape,
}: {
  readonly session: Session;
  readonly shape: Shape;
}) {
  const field = useRef<HTMLTextAreaElement>(null);
  /** The text that the field and the document last had in common. */
  const common = useRef(shape.text);
  const composing = useRef(false);

  const show = () => {
    const element = field.current;
    const text = find(session.view.value.shapes, shape.id)?.shape.text;
    // Whoever changes a field during a composition ends it.
    if (!element || text === undefined || composing.current) return;
    common.current = text;
    if (element.value === text) return;
    const { selectionStart, selectionEnd } = element;
    const theirs = spliceBetween(element.value, text);
    element.value = text;
    element.setSelectionRange(moved(selectionStart, theirs), moved(selectionEnd, theirs));
  };
  useLayoutEffect(show, [shape.text]);
  useEffect(() => {
    // A text without any is there to be typed.
    if (shape.type === "text" && shape.text === "") field.current?.focus();
  }, [shape.id]);

  const typed = async () => {
    const element = field.current;
    const now = find(session.view.value.shapes, shape.id)?.shape.text;
    if (!element || now === undefined || composing.current) return;
    const ours = spliceBetween(common.current, element.value);
    const splice = rebase(ours, spliceBetween(common.current, now));
    common.current = element.value;
    // Each piece is a change of its own; all of them are made before anything else can happen.
    await Promise.all(typing(shape.id, now, splice).map((edits) => session.edit(edits)));
    show();
  };
  return (
    <label class="text-field">
      Text
      <textarea
        ref={field}
        id="text"
        rows={3}
        defaultValue={shape.text}
        onInput={() => void typed()}
        onCompositionStart={() => {
          composing.current = true;
        }}
        onCompositionEnd={() => {
          composing.current = false;
          void typed();
        }}
      />
    </label>
  );
}

/** A shape's text, which others may be typing into as well. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Shape } from "../../../contract.ts";
import type { Desk } from "../desk.ts";
import { find, type as typing } from "../edits.ts";
import { moved, rebase, spliceBetween } from "../splice.ts";

/** What is typed within so long is one change, in milliseconds: that is also what one undo takes back. */
const TYPING_MS = 250;

export function TextField({ desk, shape }: { readonly desk: Desk; readonly shape: Shape }) {
  const { session } = desk;
  const field = useRef<HTMLTextAreaElement>(null);
  /** The text that the field and the document last had in common. */
  const common = useRef(shape.text);
  const composing = useRef(false);
  /** While there is something in the field that the document hasn't. */
  const pending = useRef<ReturnType<typeof setTimeout>>(undefined);

  const show = () => {
    if (pending.current !== undefined) {
      void flush();
      return;
    }
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
  useEffect(() => {
    // A text without any is there to be typed.
    if (shape.type !== "text" || shape.text !== "" || !field.current) return;
    field.current.focus();
    if (desk.typedAhead) {
      field.current.value = desk.typedAhead;
      typed();
    }
    desk.typedAhead = null;
  }, [shape.id]);

  const flush = async () => {
    clearTimeout(pending.current);
    pending.current = undefined;
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
  const typed = () => {
    pending.current ??= setTimeout(flush, TYPING_MS);
  };
  useLayoutEffect(show, [shape.text]);
  useLayoutEffect(() => () => void flush(), [shape.id]);
  return (
    <label class="text-field">
      Text
      <textarea
        ref={field}
        id="text"
        rows={3}
        defaultValue={shape.text}
        onInput={typed}
        onBlur={() => void flush()}
        onKeyDown={(event) => {
          if (event.key === "Escape") document.getElementById("board")?.focus();
        }}
        onCompositionStart={() => {
          composing.current = true;
        }}
        onCompositionEnd={() => {
          composing.current = false;
          void flush();
        }}
      />
    </label>
  );
}

/** Whether others see what is done here, and who they are. */
import type { Session } from "../session.ts";
import { nameOf } from "../sync/actor.ts";

export function Presence({ session }: { readonly session: Session }) {
  const status = session.status.value;
  const waiting = session.waiting.value;
  const changes = `${waiting} change${waiting === 1 ? "" : "s"}`;
  const state = {
    online: waiting === 0 ? "Online" : `Online, sending ${changes}`,
    connecting: "Connecting …",
    offline: waiting === 0 ? "Offline" : `Offline: ${changes} wait${waiting === 1 ? "s" : ""} here`,
  }[status];
  return (
    <div class="presence">
      <p
        id="status"
        class={status}
        role="status"
        data-waiting={waiting}
        data-kept={session.kept.value}
      >
        {state}
      </p>
      <label>
        <input
          type="checkbox"
          checked={!session.wantsOnline.value}
          onChange={({ currentTarget }) => session.goOnline(!currentTarget.checked)}
        />
        Work offline
      </label>
    </div>
  );
}

/** Those who have pointed at something lately: a server tells of nobody who only looks. */
export function Others({ session }: { readonly session: Session }) {
  const others = session.pointers.value.map(({ actor }) => nameOf(actor));
  return others.length === 0 ? null : <p class="others">Here as well: {others.join(", ")}</p>;
}

export function Notice({ session }: { readonly session: Session }) {
  const text = session.notice.value;
  return (
    <div role="alert" class="notice" hidden={!text}>
      {text}
      {text && (
        <button
          type="button"
          onClick={() => {
            session.notice.value = null;
          }}
        >
          Dismiss
        </button>
      )}
    </div>
  );
}

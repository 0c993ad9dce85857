/** The accounts, and what this person may do with them without asking anybody. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Edit } from "../../../contract.ts";
import type { Desk } from "../desk.ts";

const PATTERN = "[a-z0-9\\-]{1,60}";
const MOST = 1_000_000_000;

export function LedgerPanel({ desk }: { readonly desk: Desk }) {
  const { session } = desk;
  const { actor, doors } = session.config;
  const accounts = Object.entries(desk.view.value.balances);
  const past = desk.past.value !== null;
  return (
    <details class="panel">
      <summary>Ledger</summary>
      <p>
        You are <code id="actor">{actor}</code>.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">Balance</th>
            <th scope="col">Yours to spend</th>
          </tr>
        </thead>
        <tbody>
          {accounts.map(([account, balance]) => (
            <tr key={account}>
              <th scope="row">{account}</th>
              <td>{balance}</td>
              <td>{past ? "" : <Escrow desk={desk} account={account} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!past && (
        <>
          <Entry
            desk={desk}
            name="Transfer"
            fields={["from", "to"]}
            edit={({ from = "", to = "" }, amount) => ({ kind: "transfer", from, to, amount })}
          />
          <Entry
            desk={desk}
            name="Lend"
            fields={["account", "to"]}
            edit={({ account = "", to = "" }, amount) => ({ kind: "lend", account, to, amount })}
          />
          {actor === doors.treasurer && (
            <Entry
              desk={desk}
              name="Issue"
              fields={["account"]}
              edit={({ account = "" }, amount) => ({ kind: "issue", account, amount })}
            />
          )}
        </>
      )}
    </details>
  );
}

function Escrow({ desk, account }: { readonly desk: Desk; readonly account: string }) {
  const escrow = useSignal(0);
  const view = desk.session.view.value;
  useEffect(() => {
    void desk.session.escrow(account).then((amount) => {
      escrow.value = amount;
    });
    // Whatever has changed, it may be another amount.
  }, [desk, account, view]);
  return <>{escrow.value}</>;
}

interface EntryProps {
  readonly desk: Desk;
  readonly name: string;
  readonly fields: readonly string[];
  readonly edit: (values: Readonly<Record<string, string>>, amount: number) => Edit;
}

function Entry({ desk, name, fields, edit }: EntryProps) {
  const submit = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const values = Object.fromEntries(fields.map((field) => [field, String(data.get(field))]));
    if (await desk.session.edit([edit(values, Number(data.get("amount")))])) form.reset();
  };
  return (
    <form
      class="entry"
      aria-label={name}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      {fields.map((field) => (
        <label key={field}>
          {field}
          <input name={field} required pattern={PATTERN} autocomplete="off" />
        </label>
      ))}
      <label>
        amount
        <input name="amount" type="number" required min={1} max={MOST} step={1} />
      </label>
      <button type="submit">{name}</button>
    </form>
  );
}

/** What the page asks whoever comes without a name. */

export function Join() {
  return (
    <main class="join">
      <h1>A whiteboard and a ledger</h1>
      <p>People draw and pay without a connection, and all come to see the same.</p>
      <form method="get">
        <label>
          Your name
          <input name="name" required pattern="[a-z0-9\-]{1,30}" autocomplete="nickname" />
        </label>
        <label>
          Board
          <input name="board" required pattern="[a-z0-9\-]{1,60}" defaultValue="first" />
        </label>
        <p>Small letters, digits and hyphens.</p>
        <button type="submit">Join</button>
      </form>
    </main>
  );
}

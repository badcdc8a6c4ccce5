// The form for the token.
import { html } from "./lit/lit-html.js";
import { api } from "./api.js";
import { problem } from "./parts.js";

let failure = null;

export function login(update, opened) {
  const show = async (event) => {
    event.preventDefault();
    try {
      await api.showToken(new FormData(event.target).get("token"));
      failure = null;
      opened();
    } catch (refused) {
      failure = refused;
      update();
    }
  };
  return html`<main class="container narrow" id="main">
    <h1>Tagstream</h1>
    <form @submit=${show}>
      <label>Token <input type="password" name="token" autocomplete="current-password" required /></label>
      <button type="submit">Open the console</button>
    </form>
    ${problem(failure)}
    <p class="quiet">The token is the value of console.token.</p>
  </main>`;
}

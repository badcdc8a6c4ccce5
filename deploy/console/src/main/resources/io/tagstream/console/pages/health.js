// What this instance is doing, and what could not be tagged.
import { html, nothing } from "./lit/lit-html.js";
import { repeat } from "./lit/directives/repeat.js";
import { api } from "./api.js";
import { count, plural, time, words } from "./format.js";
import { latest, state } from "./page.js";
import { problem } from "./parts.js";

let failures = null;
let failure = null;

const ask = latest();

function load() {
  ask(
    () => api.failures({ limit: 100 }),
    (page) => {
      failures = page;
      failure = null;
    },
    (refused) => {
      failure = refused;
    },
  );
}

const tile = (title, value, more) =>
  html`<div class="tile">
    <dt>${title}</dt>
    <dd>${value}${more ? html` <small>${more}</small>` : nothing}</dd>
  </div>`;

function tiles(status) {
  return html`<dl class="tiles">
    ${tile("State", status.ready && !status.waitsBecause ? "tagging" : "waiting", status.notReadyBecause ?? status.waitsBecause)}
    ${tile("Throughput", status.imagesPerSecond === null ? "–" : status.imagesPerSecond.toFixed(1), "images/s")}
    ${tile("Pending", count(status.pending), `images, ${count(status.inFlight)} in progress`)}
    ${tile("Batch size", status.batchSize === null ? "–" : status.batchSize.toFixed(1), "images")}
    ${tile("Since the start", count(status.tagged), `tagged, ${count(status.failed)} failed, ${count(status.deleted)} deleted`)}
    ${tile("Vocabulary", plural(status.labels, "label", "labels"), `epoch ${status.vocabularyEpoch}`)}
    ${tile("Model", status.model.id, status.model.version)}
    ${status.search
      ? tile("Search index", plural(status.search.images, "image", "images"), status.search.behind > 0 ? `${count(status.search.behind)} records behind` : "up to date")
      : nothing}
    ${state.progress?.active ? tile("Catching up with the vocabulary", `${count(state.progress.done)} of ${count(state.progress.total)}`, "images") : nothing}
  </dl>`;
}

export const health = {
  title: "Health",
  enter: load,
  look() {
    if (location.hash.startsWith("#/health")) {
      load();
    }
  },

  show() {
    const status = state.status;
    if (!status) {
      return html`<p aria-busy="true">Loading</p>`;
    }
    const reasons = Object.entries(status.failuresByReason);
    return html`${tiles(status)}
      <section aria-labelledby="failures-title">
        <h2 id="failures-title">Not tagged</h2>
        ${problem(failure)}
        ${reasons.length === 0
          ? html`<p class="quiet">No recent failures are unresolved.</p>`
          : html`<ul class="tags">${reasons.map(([reason, number]) => html`<li>${words(reason)} <data value=${number}>${count(number)}</data></li>`)}</ul>`}
        ${failures && failures.items.length > 0
          ? html`<div class="overflow-auto" tabindex="0" role="region" aria-label="Failures">
              <table>
                <thead>
                  <tr><th scope="col">When</th><th scope="col">Image</th><th scope="col">Reason</th><th scope="col">Details</th></tr>
                </thead>
                <tbody>
                  ${repeat(
                    failures.items,
                    (item) => item.imageId,
                    (item) => html`<tr>
                      <td><time datetime=${item.failedAt}>${time(item.failedAt)}</time></td>
                      <th scope="row">${item.imageId}</th>
                      <td>${words(item.reason)}</td>
                      <td class="wraps">${item.message}</td>
                    </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
          : nothing}
      </section>`;
  },
};

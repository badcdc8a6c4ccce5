// Parts that several views share. All content goes through lit's templates, which escape it.
import { html, nothing } from "./lit/lit-html.js";
import { thumbnailUrl } from "./api.js";
import { imageHref, imageName, labelHref, score } from "./format.js";
import { state } from "./page.js";

/** An image's thumbnail, or a placeholder if thumbnails are unavailable. */
export function picture(id, name) {
  if (!state.status?.features.thumbnails) {
    return html`<div class="no-picture" aria-hidden="true">No picture</div>`;
  }
  return html`<img
    src=${thumbnailUrl(id)}
    alt=${"Picture: " + name}
    loading="lazy"
    @error=${(event) => event.target.classList.add("broken")}
  />`;
}

/** A list of tags, each a link to all images that have it. */
export function tags(list) {
  if (list.length === 0) {
    return html`<p class="quiet">No tags</p>`;
  }
  return html`<ul class="tags">
    ${list.map(
      (tag) => html`<li>
        <a href=${labelHref(tag.labelId)}><span>${tag.name}</span> <data value=${tag.score}>${score(tag.score)}</data></a>
      </li>`,
    )}
  </ul>`;
}

/** An image with its tags, as a card that links to the image's page, except where it has another link. */
export function card(image, note) {
  const name = imageName(image);
  return html`<article class="card" data-image=${image.id}>
    ${picture(image.id, name)}
    <h3><a href=${imageHref(image.id)}>${name}</a></h3>
    ${tags(image.tags)} ${note ? html`<p class="quiet">${note}</p>` : nothing}
  </article>`;
}

export function problem(failure) {
  return failure ? html`<p class="problem" role="alert">${failure.message}</p>` : nothing;
}

/** A score from 0 to 1, as a bar. */
export function bar(value, label) {
  return html`<meter min="0" max="1" .value=${value ?? 0} aria-label=${label}></meter>`;
}

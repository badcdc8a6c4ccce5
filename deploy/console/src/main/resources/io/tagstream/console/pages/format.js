// Formats numbers, times and names for people.
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const COUNT = new Intl.NumberFormat();
const REASON = /_/g;

export const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
export const count = (value) => COUNT.format(value);
export const time = (instant) => TIME.format(new Date(instant));
export const words = (constant) => constant.toLowerCase().replace(REASON, " ");
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

/** An image's display name: its original file name, or its id. */
export const imageName = (image) => image.attributes?.name ?? image.id ?? image.imageId;

/** The address to link to, or null: links lead to web addresses only, never to another scheme. */
export const webAddress = (uri) => (/^https?:\/\//i.test(uri) ? uri : null);

export const imageHref = (id) => "#/image/" + encodeURIComponent(id);

export const labelHref = (id) => "#/search?label=" + encodeURIComponent(id);

// Numbers, times and names for people.
const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const COUNT = new Intl.NumberFormat();
const REASON = /_/g;

export const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
export const count = (value) => COUNT.format(value);
export const time = (instant) => TIME.format(new Date(instant));
export const words = (constant) => constant.toLowerCase().replace(REASON, " ");
export const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;

/** What an image is called: the name under which it came, or its id. */
export const imageName = (image) => image.attributes?.name ?? image.id ?? image.imageId;

/** Links go to pages only: never to another scheme that an address may have. */
export const webAddress = (uri) => (/^https?:\/\//i.test(uri) ? uri : null);

export const imageHref = (id) => "#/image/" + encodeURIComponent(id);

export const labelHref = (id) => "#/search?label=" + encodeURIComponent(id);

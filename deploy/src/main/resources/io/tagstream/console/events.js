// What happens, as it happens. The browser comes back by itself and says which event was the last.
const KINDS = ["tagged", "failed", "deleted", "vocabulary", "progress"];
const listeners = new Set();
let source;

export const connection = { open: false };

/** Calls listener(kind, data) for every event; "connection" tells when the stream opens or breaks. */
export function listen(listener) {
  listeners.add(listener);
}

function tell(kind, data) {
  listeners.forEach((listener) => listener(kind, data));
}

export function connect() {
  source?.close();
  source = new EventSource("/api/events");
  source.onopen = () => {
    connection.open = true;
    tell("connection", true);
  };
  source.onerror = () => {
    connection.open = false;
    tell("connection", false);
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(connect, 2000);
    }
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  }
}

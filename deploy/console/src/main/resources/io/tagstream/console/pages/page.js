// What the page knows, and how its views show it. Views import this module; it imports none of them.

export const state = { status: null, open: null, said: "", progress: null };

const SAID_MILLIS = 10_000;

let draw = () => {};
let scheduled = false;
let unsaying;

/** Sets what draws the page. */
export function drawWith(drawing) {
  draw = drawing;
}

/** Draws the page from the present state, once for all changes of a turn. */
export function update() {
  if (!scheduled) {
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      draw();
    });
  }
}

/** Shows a sentence for a while, and has screen readers say it. */
export function say(text) {
  state.said = text;
  update();
  clearTimeout(unsaying);
  unsaying = setTimeout(() => {
    state.said = "";
    update();
  }, SAID_MILLIS);
}

/**
 * Asks questions of which only the latest counts: a late answer to an earlier one, or its failure, is dropped.
 *
 * The function that it returns takes a question, what to do with its answer, and what to do if it is refused; it updates
 * the page after either.
 */
export function latest() {
  let asked = 0;
  return async (question, answered, refused) => {
    const mine = ++asked;
    try {
      const answer = await question();
      if (mine !== asked) {
        return;
      }
      answered(answer);
    } catch (failure) {
      if (mine !== asked) {
        return;
      }
      refused(failure);
    }
    update();
  };
}

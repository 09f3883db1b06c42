/** The server that the clients ask, and a line to it that can be cut. */
export const { BASE } = process.env;
export const headers = { Authorization: `Bearer ${process.env.TOKEN}` };
export const BRIEF = 'Please speak briefly.';
export const FOR_EVER = 'Please speak for ever.';
export const FAIL = 'Please fail after a question.';
export const WAIT = 'Please wait after a question.';
export const SOLAR_SYSTEM = 'The Solar System';

const LOST = 'the connection was lost';

// AG-UI's client also leaves a second promise, which nobody awaits, rejected.
process.on('unhandledRejection', (error) => {
  if (error?.message !== LOST) throw error;
});

let piecesLeft = Infinity;

/** Breaks the body of the next response after so many pieces, as a lost connection does. */
export function cutNext(pieces) {
  piecesLeft = pieces;
}

/** `fetch`, whose line can be cut. */
export async function fetchCut(input, init) {
  const response = await fetch(input, init);
  let left = piecesLeft;
  piecesLeft = Infinity;
  if (left === Infinity || response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      if (left-- <= 0) {
        await reader.cancel();
        controller.error(new TypeError(LOST));
        return;
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const { status, headers: own } = response;
  return new Response(body, { status, headers: own });
}

export async function post(path, body = {}) {
  const response = await fetch(`${BASE}${path}`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

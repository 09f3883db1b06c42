// The same source as source.py: paced tokens for one viewer, or for all viewers of a channel.

const PROMPT = /^n(\d+)e(\d+(?:\.\d+)?)(?:p(\d+))?(?:c(\d+))?\.$/;

const nowNs = () => Number(process.hrtime.bigint()); // the system's monotonic clock

/** Yields each token when it is due: its due time in ns, and a space. */
export async function* paced({ tokens, everyMs, pauseMs }) {
  let due = nowNs() + pauseMs * 1e6;
  for (let seq = 0; seq < tokens; seq++) {
    due += everyMs * 1e6;
    const wait = (due - nowNs()) / 1e6;
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    yield `${due} `;
  }
}

const channels = new Map();

async function feed(asked, viewers) {
  for await (const token of paced(asked)) for (const viewer of viewers) viewer(token);
  for (const viewer of viewers) viewer(null);
  channels.delete(asked.channel);
}

/** Yields the tokens that a prompt asks for. */
export async function* tokensOf(prompt) {
  const found = PROMPT.exec(prompt);
  if (!found) throw new Error(`A prompt is like n250e20., not ${prompt}.`);
  const [tokens, everyMs, pauseMs, channel] = found.slice(1).map((part) => Number(part ?? 0));
  const asked = { tokens, everyMs, pauseMs, channel };
  if (found[4] === undefined) return yield* paced(asked);
  if (!channels.has(channel)) {
    const viewers = [];
    channels.set(channel, viewers);
    feed(asked, viewers);
  }
  const queue = [];
  let wake = () => {};
  channels.get(channel).push((token) => {
    queue.push(token);
    wake();
  });
  for (;;) {
    while (queue.length > 0) {
      const token = queue.shift();
      if (token === null) return;
      yield token;
    }
    await new Promise((done) => (wake = done));
  }
}

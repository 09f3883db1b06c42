/**
 * Runs the real clients against the server at `BASE`, with the API token `TOKEN`, and prints what
 * each of them held, as JSON. `test_clients.py` judges it.
 */
import { HttpAgent } from '@ag-ui/client';
import * as ai5 from 'ai-5';
import * as ai6 from 'ai-6';
import * as ai7 from 'ai-7';
import OpenAI from 'openai';

const { BASE, TOKEN } = process.env;
const headers = { Authorization: `Bearer ${TOKEN}` };
const BRIEF = 'Please speak briefly.';
const FOR_EVER = 'Please speak for ever.';

// --- a line that can be cut ----------------------------------------------------------------

const LOST = 'the connection was lost';

// AG-UI's client also leaves a second promise, which nobody awaits, rejected.
process.on('unhandledRejection', (error) => {
  if (error?.message !== LOST) throw error;
});

const plainFetch = globalThis.fetch;
let piecesLeft = Infinity;

/** Breaks the body of the next response after so many pieces, as a lost connection does. */
function cutNext(pieces) {
  piecesLeft = pieces;
}

globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init);
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
};

async function post(path, body = {}) {
  const response = await plainFetch(`${BASE}${path}`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

// --- AI SDK ----------------------------------------------------------------------------------

/** The state that `useChat` keeps in React. */
class ChatState {
  status = 'ready';
  error = undefined;
  messages = [];
  onText = () => {};
  pushMessage = (message) => {
    this.messages = [...this.messages, message];
  };
  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };
  replaceMessage = (index, message) => {
    this.messages = this.messages.with(index, structuredClone(message));
    if (textOf(message)) this.onText();
  };
  snapshot = (value) => structuredClone(value);
}

const textOf = (message) =>
  message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');

async function runAiSdk(ai, name) {
  class Chat extends ai.AbstractChat {}
  const open = (id, block = 'ask-question') => {
    const state = new ChatState();
    const transport = new ai.DefaultChatTransport({
      api: `${BASE}/api/dialects/ai-sdk/${block}`,
      headers,
      fetch: (input, init) => globalThis.fetch(input, init),
    });
    const chat = new Chat({ id: `${name}-${id}`, state, transport, onError: () => {} });
    return { chat, state };
  };
  const held = (state) => ({
    status: state.status,
    roles: state.messages.map((message) => message.role),
    text: textOf(state.messages.at(-1)),
    kinds: state.messages.at(-1).parts.map((part) => part.type),
    isOpen: state.messages.at(-1).parts.some((part) => part.state === 'streaming'),
  });
  const seen = {};

  const whole = open('whole');
  await whole.chat.sendMessage({ text: BRIEF });
  seen.started = held(whole.state);

  const cut = open('cut');
  cutNext(6);
  await cut.chat.sendMessage({ text: BRIEF });
  seen.cut = held(cut.state);
  await cut.chat.resumeStream();
  seen.resumed = held(cut.state);

  const stopped = open('stopped');
  const hasText = new Promise((resolve) => {
    stopped.state.onText = resolve;
  });
  const sending = stopped.chat.sendMessage({ text: FOR_EVER });
  await hasText;
  seen.stop = await post(`/api/dialects/ai-sdk/ask-question/${name}-stopped/stop`);
  await sending;
  seen.stopped = held(stopped.state);

  const again = open('again');
  const ids = [];
  await again.chat.sendMessage({ text: BRIEF });
  ids.push(again.state.messages.at(-1).id);
  const [{ id: messageId }] = again.state.messages;
  await again.chat.sendMessage({ text: `${BRIEF} Really.`, messageId });
  ids.push(again.state.messages.at(-1).id);
  for (const _ of [1, 2]) {
    await again.chat.regenerate();
    ids.push(again.state.messages.at(-1).id);
  }
  seen.again = { ids, ...held(again.state) };

  const quiz = open('quiz', 'quiz');
  await quiz.chat.sendMessage({ text: 'The Solar System' });
  seen.quiz = quiz.state.messages.at(-1).parts.filter((part) => part.type.startsWith('data-'));

  seen.idle = await open('none').chat.resumeStream().then(() => 'ready', String);
  return seen;
}

/** Reads an object as `useObject` does: the hook itself needs a page. */
async function runObject(ai) {
  const response = await fetch(`${BASE}/api/dialects/ai-sdk/quiz/object`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ prompt: 'The Solar System' }),
  });
  let text = '';
  const states = [];
  const counts = [];
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const { state, value } = await ai.parsePartialJson(text);
    states.push(state);
    counts.push(value?.questions?.length ?? 0);
  }
  return { document: JSON.parse(text), states, counts };
}

// --- AG-UI ------------------------------------------------------------------------------------

async function runAgUi() {
  const open = (threadId, text, block = 'ask-question') =>
    new HttpAgent({
      url: `${BASE}/api/dialects/ag-ui/${block}`,
      headers,
      threadId,
      fetch: (input, init) => globalThis.fetch(input, init),
      initialMessages: [{ id: 'u1', role: 'user', content: text }],
    });
  const run = async (agent, runId, onText = () => {}) => {
    const types = [];
    let outcome = null;
    let failure = null;
    try {
      await agent.runAgent({ runId }, {
        onEvent: ({ event }) => {
          types.push(event.type);
          if (event.type === 'TEXT_MESSAGE_CONTENT') onText();
          if (event.type === 'RUN_FINISHED') outcome = event.outcome;
        },
      });
    } catch (error) {
      failure = String(error);
    }
    const messages = agent.messages.map(({ role, content }) => ({ role, content }));
    return { types: [...new Set(types)], outcome, failure, messages, state: agent.state };
  };
  const seen = {};
  seen.started = await run(open('whole', BRIEF), 'r1');

  const cut = open('cut', BRIEF);
  cutNext(6);
  seen.cut = await run(cut, 'r1');
  seen.resumed = await run(cut, 'r1');

  const stopped = open('stopped', FOR_EVER);
  let told;
  const hasText = new Promise((resolve) => {
    told = resolve;
  });
  const running = run(stopped, 'r1', told);
  await hasText;
  const stop = '/api/dialects/ag-ui/ask-question/stop';
  seen.stop = await post(stop, { threadId: 'stopped', runId: 'r1' });
  seen.stopped = await running;
  seen.quiz = await run(open('quiz', 'The Solar System', 'quiz'), 'r1');
  return seen;
}

// --- OpenAI -------------------------------------------------------------------------------------

async function runOpenAI() {
  const names = new Set(); // of the headers, which a page of another origin must be allowed to send
  const client = new OpenAI({
    baseURL: `${BASE}/v1`,
    apiKey: TOKEN,
    fetch: (input, init) => {
      for (const name of new Headers(init.headers).keys()) names.add(name);
      return globalThis.fetch(input, init);
    },
  });
  const ask = (content, more = {}) =>
    client.chat.completions.create({
      model: 'ask-question',
      messages: [{ role: 'user', content }],
      ...more,
    });
  const read = async (content, more = {}, onText = () => {}) => {
    const held = { text: '', reason: null, failure: null, id: null };
    try {
      for await (const chunk of await ask(content, { stream: true, ...more })) {
        held.id = chunk.id;
        held.text += chunk.choices[0]?.delta.content ?? '';
        held.reason = chunk.choices[0]?.finish_reason ?? held.reason;
        if (held.text) onText(held.id);
      }
    } catch (error) {
      held.failure = String(error.code ?? error.message);
    }
    return held;
  };
  const seen = {};
  seen.whole = (await ask(BRIEF)).choices[0].message.content;
  seen.started = await read(BRIEF);
  const again = { request_id: crypto.randomUUID() };
  cutNext(6);
  seen.cut = await read(BRIEF, again);
  seen.again = await read(BRIEF, again);
  seen.stopped = await new Promise((resolve) => {
    let isStopped = false;
    const reading = read(FOR_EVER, {}, (id) => {
      if (isStopped) return;
      isStopped = true;
      post(`/api/streams/${id.replace('chatcmpl-', '')}/cancel`).then(async ({ status }) =>
        resolve({ ...(await reading), status }),
      );
    });
  });
  const helped = client.chat.completions.stream({
    model: 'ask-question',
    messages: [{ role: 'user', content: BRIEF }],
  });
  seen.helped = (await helped.finalChatCompletion()).choices[0].message.content;
  seen.models = (await client.models.list()).data.map((model) => model.id);
  seen.headers = [...names];
  return seen;
}

const seen = {
  'ai-5': await runAiSdk(ai5, 'ai-5'),
  'ai-6': await runAiSdk(ai6, 'ai-6'),
  'ai-7': await runAiSdk(ai7, 'ai-7'),
  object: await runObject(ai7),
  'ag-ui': await runAgUi(),
  openai: await runOpenAI(),
};
process.stdout.write(JSON.stringify(seen));

/**
 * Runs the hooks of the AI SDK 5, 6 and 7, rendered by React, against the server at `BASE`, with
 * the API token `TOKEN`, and prints what each of them held, as JSON. `test_clients.py` judges it.
 */
import { createRequire } from 'node:module';
import { z } from 'zod';
import {
  BASE,
  BRIEF,
  FAIL,
  FOR_EVER,
  SOLAR_SYSTEM,
  WAIT,
  cutNext,
  fetchCut,
  headers,
  post,
} from './line.mjs';
import { renderHook } from './page.mjs';

const textOf = (message) =>
  message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
const answerIn = (messages) => messages.filter(({ role }) => role === 'assistant').at(-1);

// --- useChat ---------------------------------------------------------------------------------

/** Renders `useChat`: each of its answers is what the page shows. */
function openChat({ useChat }, { DefaultChatTransport }, id, block = 'ask-question', more = {}) {
  const transport = new DefaultChatTransport({
    api: `${BASE}/api/dialects/ai-sdk/${block}`,
    headers,
    fetch: fetchCut,
    ...more.transport,
  });
  return renderHook(
    () => useChat({ onError() {}, ...more, id, transport }),
    ({ messages }) =>
      messages.flatMap((each) => (each.role === 'assistant' ? [textOf(each)] : [])).join('\n'),
  );
}

/** Sends the question alone, as docs/dialects.md advises for long chats. */
const prepareSendMessagesRequest = ({ id, trigger, messageId, messages, body }) => {
  const question = messages.filter((each) => each.role === 'user').slice(-1);
  return { body: { ...body, id, trigger, messageId, messages: question } };
};

/** What a chat holds, and what its page shows. */
async function held(page) {
  await page.settled();
  const { status, messages } = page.now();
  return {
    status,
    roles: messages.map((message) => message.role),
    text: page.text(),
    kinds: messages.at(-1).parts.map((part) => part.type),
    isOpen: messages.at(-1).parts.some((part) => part.state === 'streaming'),
  };
}

async function runChat(name) {
  const react = await import(name);
  const ai = createRequire(import.meta.resolve(name))('ai'); // of its version
  const open = (id, ...more) => openChat(react, ai, `${name}-${id}`, ...more);
  const seen = {};

  const whole = open('whole');
  await whole.now().sendMessage({ text: BRIEF });
  seen.started = await held(whole);

  const cut = open('cut');
  cutNext(6);
  await cut.now().sendMessage({ text: BRIEF });
  seen.cut = await held(cut);
  await cut.now().resumeStream();
  seen.resumed = await held(cut);
  const asked = cut.now().messages.slice(0, 1);
  cut.close();

  // The page is loaded again. It has the question alone.
  const loaded = open('cut', 'ask-question', { resume: true, messages: asked });
  await loaded.until(({ status, messages }) => status === 'ready' && answerIn(messages));
  seen.loaded = await held(loaded);
  loaded.close();

  const stopped = open('stopped');
  const sending = stopped.now().sendMessage({ text: FOR_EVER });
  await stopped.until(() => stopped.text() !== '');
  seen.stop = await post(`/api/dialects/ai-sdk/ask-question/${name}-stopped/stop`);
  await sending;
  seen.stopped = await held(stopped);

  const again = open('again', 'ask-question', { transport: { prepareSendMessagesRequest } });
  const ids = [];
  const answered = async () => {
    await again.settled();
    ids.push(answerIn(again.now().messages).id);
  };
  await again.now().sendMessage({ text: BRIEF });
  await answered();
  const [{ id: messageId }] = again.now().messages;
  await again.now().sendMessage({ text: `${BRIEF} Really.`, messageId });
  await answered();
  for (const _ of [1, 2]) {
    await again.now().regenerate();
    await answered();
  }
  seen.again = { ids, ...(await held(again)) };

  const quiz = open('quiz', 'quiz');
  await quiz.now().sendMessage({ text: SOLAR_SYSTEM });
  await quiz.settled();
  seen.quiz = answerIn(quiz.now().messages).parts;

  const failed = open('failed', 'quiz');
  await failed.now().sendMessage({ text: FAIL });
  await failed.settled();
  const fault = answerIn(failed.now().messages).parts.find((part) => part.type === 'data-error');
  seen.failed = { status: failed.now().status, code: fault.data.code };

  const idle = open('none');
  await idle.now().resumeStream();
  await idle.settled();
  seen.idle = idle.now().status;

  const refused = open('refused', 'nothing');
  await refused.now().sendMessage({ text: BRIEF });
  await refused.settled();
  const { status, error } = refused.now();
  seen.refused = { status, code: JSON.parse(error.message).code };
  return seen;
}

// --- useObject -------------------------------------------------------------------------------

const SCHEMAS = {
  quiz: z.object({
    title: z.string(),
    questions: z.array(
      z.object({
        question: z.string(),
        options: z.array(z.string()).length(4),
        answer: z.number().int().min(0).max(3),
        explanation: z.string(),
      }),
    ),
  }),
  diagram: z.object({
    title: z.string(),
    nodes: z.array(z.object({ id: z.string(), label: z.string() })),
    edges: z.array(z.object({ from: z.string(), to: z.string(), label: z.string().optional() })),
    source: z.string(),
  }),
};

const partsOf = (object) => Object.values(object ?? {}).filter(Array.isArray).flat().length;

/** Renders `useObject`. `ask` submits an input, and returns what came of it. */
function openObject({ experimental_useObject: useObject }, block) {
  let told = () => {};
  let counts = []; // of the parts, at each render
  const page = renderHook(
    () =>
      useObject({
        api: `${BASE}/api/dialects/ai-sdk/${block}/object`,
        schema: SCHEMAS[block],
        headers,
        fetch: fetchCut,
        onFinish: ({ object, error }) => told({ object, error: error && `${error}` }),
        onError: (error) => told({ error: `${error}` }),
      }),
    ({ object }) => {
      counts.push(partsOf(object));
      return JSON.stringify(object);
    },
  );
  async function ask(input) {
    const answered = new Promise((resolve) => {
      told = resolve;
    });
    page.now().submit(input);
    counts = [];
    const end = await answered;
    await page.settled();
    const { error } = page.now();
    const failure = error === undefined ? null : `${error}`;
    return { ...end, counts, shown: JSON.parse(page.text()), failure };
  }
  return { ...page, ask };
}

async function runObject(name) {
  const react = await import(name);
  const [quiz, diagram] = [openObject(react, 'quiz'), openObject(react, 'diagram')];
  const seen = {};
  seen.quiz = await quiz.ask({ prompt: SOLAR_SYSTEM });
  seen.diagram = await diagram.ask({ prompt: 'The Water Cycle' });

  const input = { prompt: SOLAR_SYSTEM, request_id: crypto.randomUUID() };
  cutNext(2);
  seen.cut = await quiz.ask(input);
  seen.again = await quiz.ask(input);

  seen.failed = await quiz.ask({ prompt: FAIL });

  const endless = { prompt: WAIT, request_id: crypto.randomUUID() };
  const asking = quiz.ask(endless);
  await quiz.until(({ object, isLoading }) => isLoading && partsOf(object) === 1);
  const { request_id } = endless;
  seen.stop = await post('/api/streams/cancel', { request_id });
  seen.stopped = await asking;
  return seen;
}

const seen = {};
for (const name of ['ai-sdk-react-2', 'ai-sdk-react-3', 'ai-sdk-react-4']) {
  seen[name] = { chat: await runChat(name), object: await runObject(name) };
}
process.stdout.write(JSON.stringify(seen));

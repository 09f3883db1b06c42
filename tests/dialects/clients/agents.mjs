/**
 * Runs the clients of AG-UI and OpenAI against the server at `BASE`, with the API token `TOKEN`, and
 * prints what each of them held, as JSON. `test_clients.py` judges it.
 */
import { HttpAgent } from '@ag-ui/client';
import OpenAI from 'openai';
import {
  BASE,
  BRIEF,
  FAIL,
  FOR_EVER,
  SOLAR_SYSTEM,
  cutNext,
  fetchCut,
  headers,
  post,
} from './line.mjs';

// --- AG-UI ------------------------------------------------------------------------------------

async function runAgUi() {
  const open = (threadId, text, block = 'ask-question') =>
    new HttpAgent({
      url: `${BASE}/api/dialects/ag-ui/${block}`,
      headers,
      threadId,
      fetch: fetchCut,
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
  seen.quiz = await run(open('quiz', SOLAR_SYSTEM, 'quiz'), 'r1');
  seen.diagram = await run(open('diagram', 'The Water Cycle', 'diagram'), 'r1');
  seen.failed = await run(open('failed', FAIL, 'quiz'), 'r1');
  return seen;
}

// --- OpenAI -------------------------------------------------------------------------------------

async function runOpenAI() {
  const names = new Set(); // of the headers, which a page of another origin must be allowed to send
  const client = new OpenAI({
    baseURL: `${BASE}/v1`,
    apiKey: process.env.TOKEN,
    fetch: (input, init) => {
      for (const name of new Headers(init.headers).keys()) names.add(name);
      return fetchCut(input, init);
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

process.stdout.write(JSON.stringify({ 'ag-ui': await runAgUi(), openai: await runOpenAI() }));

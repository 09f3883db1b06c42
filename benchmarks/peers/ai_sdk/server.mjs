// Vercel's AI SDK on Node's own HTTP server: `node server.mjs PORT [model]`.
//
// Without `model` it writes text parts into `createUIMessageStream`. With it, the tokens come from
// the SDK's mock model through `streamText`, as in an application.
// Source: ai-sdk.dev, "Streaming Custom Data", "Node.js HTTP Server" and "Testing".

import { createServer } from 'node:http';
import { createUIMessageStream, pipeUIMessageStreamToResponse, streamText } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { tokensOf } from './source.mjs';

const [port, mode] = process.argv.slice(2);

function answerByParts(prompt, response) {
  const stream = createUIMessageStream({
    execute: async ({ writer }) => {
      writer.write({ type: 'text-start', id: 'text' });
      for await (const delta of tokensOf(prompt)) {
        writer.write({ type: 'text-delta', id: 'text', delta });
      }
      writer.write({ type: 'text-end', id: 'text' });
    },
  });
  pipeUIMessageStreamToResponse({ response, stream });
}

async function* partsOf(prompt) {
  yield { type: 'text-start', id: 'text' };
  for await (const delta of tokensOf(prompt)) yield { type: 'text-delta', id: 'text', delta };
  yield { type: 'text-end', id: 'text' };
  const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
  yield { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage };
}

function answerByModel(prompt, response) {
  const model = new MockLanguageModelV3({
    doStream: async () => ({ stream: ReadableStream.from(partsOf(prompt)) }),
  });
  streamText({ model, prompt }).pipeUIMessageStreamToResponse(response);
}

const answer = mode === 'model' ? answerByModel : answerByParts;
createServer((request, response) => {
  answer(new URL(request.url, 'http://127.0.0.1').searchParams.get('prompt'), response);
}).listen(Number(port), '127.0.0.1');

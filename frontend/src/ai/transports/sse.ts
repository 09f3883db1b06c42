/**
 * Server-Sent Events over `fetch`: it allows custom headers and our own retry policy, and it sees
 * comments.
 */
import { createParser } from 'eventsource-parser';

import { NoToken } from '../access';
import type { Api } from '../api';
import { ApiError } from '../api';
import { eventFromText } from '../core/events';
import { refusalOf } from '../problem';
import type { Environment } from '../types';
import type { Goal, Line, LineEnd, LineSink, Transport } from './base';
import { guardedLine } from './base';

export class SseTransport implements Transport {
  readonly name = 'sse';
  readonly #api: Api;
  readonly #baseUrl: string;
  readonly #env: Environment;

  constructor(api: Api, baseUrl: string, env: Environment) {
    this.#api = api;
    this.#baseUrl = baseUrl;
    this.#env = env;
  }

  open(goal: Goal, sink: LineSink): Line {
    return guardedLine(sink, (guarded) => {
      const abort = new AbortController();
      void this.#run(goal, guarded, abort.signal).then((end) => guarded.onEnd(end));
      return { close: () => abort.abort() };
    });
  }

  async #run(goal: Goal, sink: LineSink, signal: AbortSignal): Promise<LineEnd> {
    let response: Response;
    try {
      response = await this.#ask(goal, signal, false);
      if (response.status === 204) return { kind: 'nothing' };
      if (!response.ok) {
        let refusal = await refusalOf(response, this.#env.now());
        if (refusal.kind === 'csrf') {
          response = await this.#ask(goal, signal, true);
          if (!response.ok) refusal = await refusalOf(response, this.#env.now());
        }
        if (!response.ok) return endOf(refusal);
      }
    } catch (error) {
      if (error instanceof ApiError && error.httpStatus !== 0) {
        const { problem } = error;
        if (!problem.isRetryable) return { kind: 'refused', problem };
        return { kind: 'lost', wasOpen: false, waitMs: problem.retryAfterMs, problem };
      }
      // Without a token, the other transport would not get further.
      if (error instanceof NoToken) return { kind: 'lost', wasOpen: true, problem: error.problem };
      return { kind: 'lost', wasOpen: false };
    }
    if (!response.headers.get('Content-Type')?.startsWith('text/event-stream') || !response.body) {
      return { kind: 'lost', wasOpen: false }; // a proxy's error page or a login page
    }
    return read(response.body, sink);
  }

  async #ask(goal: Goal, signal: AbortSignal, withFreshToken: boolean): Promise<Response> {
    const { access } = this.#api;
    if (goal.kind === 'watch') {
      return access.fetch(`${this.#baseUrl}/api/streams/${encodeURIComponent(goal.streamId)}/events`, {
        signal,
        headers: {
          Accept: 'text/event-stream',
          'Last-Event-ID': `${goal.streamId}:${goal.after}`,
        },
      });
    }
    const { blockType, prompt, options, requestId, continues, sample } = goal.request;
    const url = `${this.#baseUrl}/api/stream/ai-block/${encodeURIComponent(blockType)}`;
    return access.fetch(url, {
      signal,
      method: 'POST',
      headers: { Accept: 'text/event-stream', ...(await this.#api.writeHeaders(withFreshToken)) },
      body: JSON.stringify({
        prompt,
        options: options ?? {},
        request_id: requestId,
        continues,
        sample,
      }),
    });
  }
}

function endOf(refusal: Awaited<ReturnType<typeof refusalOf>>): LineEnd {
  const { problem } = refusal;
  switch (refusal.kind) {
    case 'elsewhere':
      return { kind: 'elsewhere', transport: refusal.transport, problem };
    case 'later':
      // A code of our server's proves that nothing blocks the way to it; a proxy does not know
      // these codes.
      return { kind: 'lost', wasOpen: !problem.code.startsWith('http_'), waitMs: refusal.waitMs, problem };
    default:
      return { kind: 'refused', problem };
  }
}

async function read(body: ReadableStream<Uint8Array>, sink: LineSink): Promise<LineEnd> {
  const parser = createParser({
    onEvent: (message) => {
      const event = eventFromText(message.data);
      if (event) sink.onEvent(event);
      else sink.onAlive();
    },
    onComment: () => sink.onAlive(),
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } catch {
    // The body broke off. Like a body that ends without a terminal event, that is a lost
    // connection.
  }
  return { kind: 'lost', wasOpen: true };
}

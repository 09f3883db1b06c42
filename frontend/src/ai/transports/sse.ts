/**
 * Server-Sent Events over `fetch`: it allows custom headers and our own retry policy, and it sees
 * comments.
 */
import type { Api } from '../api';
import { readEventStream } from '../eventStream';
import { ApiError, judged, refusalOf } from '../problem';
import type { Environment } from '../types';
import type { Goal, Line, LineEnd, LineSink, Transport } from './base';
import { endOf, guardedLine, startBody } from './base';

export class SseTransport implements Transport {
  readonly name = 'sse';
  readonly #api: Api;
  readonly #env: Environment;

  constructor(api: Api, env: Environment) {
    this.#api = api;
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
      // Of the calls for a CSRF token, or of the page's own function for a token.
      if (error instanceof ApiError && error.problem.code !== 'unreachable') return endOf(judged(error.problem));
      return { kind: 'lost', wasOpen: false };
    }
    if (!response.headers.get('Content-Type')?.startsWith('text/event-stream') || !response.body) {
      return { kind: 'lost', wasOpen: false }; // a proxy's error page or a login page
    }
    await readEventStream(response.body, sink);
    return { kind: 'lost', wasOpen: true };
  }

  async #ask(goal: Goal, signal: AbortSignal, withFreshToken: boolean): Promise<Response> {
    const api = this.#api;
    if (goal.kind === 'watch') {
      return api.access.fetch(api.url(`/streams/${encodeURIComponent(goal.streamId)}/events`), {
        signal,
        headers: {
          Accept: 'text/event-stream',
          'Last-Event-ID': `${goal.streamId}:${goal.after}`,
        },
      });
    }
    return api.access.fetch(api.url(`/stream/ai-block/${encodeURIComponent(goal.request.blockType)}`), {
      signal,
      method: 'POST',
      headers: { Accept: 'text/event-stream', ...(await api.writeHeaders(withFreshToken)) },
      body: JSON.stringify(startBody(goal.request)),
    });
  }
}

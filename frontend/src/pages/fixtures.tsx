/** Fixtures for the tests of the pages: an in-memory server, and the pages at an address. */
import { render } from '@testing-library/react';
import { Router } from 'wouter';
import { memoryLocation } from 'wouter/memory-location';

import { ApiError, type BlockInfo, type Config, type StreamResource } from '@liveai/client';
import { App } from './App';
import { type Boot, NOBODY } from './boot';
import type { PagesApi } from './pagesApi';

export const CONFIG: Config = {
  streaming: { enabled: true, backend: 'sse', fallback: true, message: '' },
  limits: {},
  user: null,
  demo_model: false,
  csrf_token: null,
};

export const BLOCKS: BlockInfo[] = [
  block({ slug: 'ask-question', title: 'Ask a question' }),
  block({ slug: 'quiz', title: 'Quiz', output: 'quiz' }),
  block({ slug: 'diagram', title: 'Diagram', output: 'diagram' }),
];

export function block(members: Partial<BlockInfo> = {}): BlockInfo {
  return {
    slug: 'ask-question',
    title: 'Ask a question',
    description: 'Ask anything.',
    output: 'markdown',
    model: 'smollm2-135m',
    options: { type: 'object', properties: {} },
    prompt_limit: 4_000,
    samples: [],
    ...members,
  };
}

export function stream(members: Partial<StreamResource> = {}): StreamResource {
  const now = new Date().toISOString();
  return {
    stream_id: 'a'.repeat(22),
    block_type: 'ask-question',
    prompt: 'Why do cats purr?',
    options: {},
    model: 'smollm2-135m',
    status: 'complete',
    text: 'Because they are content.',
    items: [],
    arriving: {},
    result: null,
    seq: 5,
    created_at: now,
    started_at: now,
    ended_at: now,
    ttft_ms: 300,
    usage: { input_tokens: 5, output_tokens: 4 },
    finish_reason: 'stop',
    dropped: null,
    error: null,
    request_id: null,
    continues: null,
    sample: null,
    ...members,
  };
}

/** Responds like the server, from a list that a test may change. */
export class FakeApi implements PagesApi {
  isAliveNow = true;
  configNow: Config | ApiError = CONFIG;
  blocksNow = BLOCKS;
  streamsNow: StreamResource[] = [];
  pageSize = 20;
  readonly calls: string[] = [];

  async isAlive() {
    this.calls.push('isAlive');
    return this.isAliveNow;
  }

  async config() {
    this.calls.push('config');
    if (this.configNow instanceof ApiError) throw this.configNow;
    return this.configNow;
  }

  async blocks() {
    return this.blocksNow;
  }

  async stream(streamId: string) {
    this.calls.push(`stream ${streamId}`);
    const found = this.streamsNow.find((one) => one.stream_id === streamId);
    if (!found) throw refusal('not_found', 404);
    return found;
  }

  async streams({ q, status, blockType, cursor, limit }: Parameters<PagesApi['streams']>[0] = {}) {
    this.calls.push(`streams ${JSON.stringify({ q, status, blockType, cursor })}`);
    const found = this.streamsNow.filter(
      (one) =>
        (!q || `${one.prompt} ${one.text}`.toLowerCase().includes(q.toLowerCase())) &&
        (!status || one.status === status) &&
        (!blockType || one.block_type === blockType),
    );
    const from = Number(cursor ?? 0);
    const to = from + (limit ?? this.pageSize);
    return { results: found.slice(from, to), next: to < found.length ? String(to) : null };
  }

  async cancel(streamId: string) {
    this.calls.push(`cancel ${streamId}`);
    const found = await this.stream(streamId);
    found.status = 'cancelled';
    return found;
  }

  async remove(streamId: string) {
    this.calls.push(`remove ${streamId}`);
    const found = this.streamsNow.find((one) => one.stream_id === streamId);
    if (found?.status === 'running') throw refusal('still_running', 409);
    this.streamsNow = this.streamsNow.filter((one) => one !== found);
  }
}

export function refusal(code: string, httpStatus: number, message = `Refused: ${code}.`): ApiError {
  return new ApiError({ code, message, isRetryable: httpStatus >= 500 }, httpStatus);
}

/** Renders the pages at an address. `history` lists every address visited. */
export function show(api: PagesApi, path = '/', boot: Boot = NOBODY) {
  const [pathname = '/', searchPath = ''] = path.split('?');
  const memory = memoryLocation({ path: pathname, searchPath, record: true });
  const view = render(
    <Router hook={memory.hook} searchHook={memory.searchHook}>
      <App api={api} boot={boot} />
    </Router>,
  );
  return { ...view, history: memory.history, navigate: memory.navigate };
}

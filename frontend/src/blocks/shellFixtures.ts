/** Fixtures for the tests of the shell: a block, a stream from the hook, a stored stream. */
import { expect, vi } from 'vitest';
import type { BlockInfo, StreamInput, StreamResource } from '@liveai/client';
import type { ShownStream } from './shownStream';

export const STREAM_ID = 'abcdefghijklmnopqrstuv';

export function aBlock(members: Partial<BlockInfo> = {}): BlockInfo {
  return {
    slug: 'ask-question',
    title: 'Ask a question',
    description: 'An answer to any question.',
    output: 'markdown',
    model: 'local:smollm2-135m',
    options: {},
    prompt_limit: 100,
    samples: [],
    ...members,
  };
}

/** A stream before anything is asked, unless `members` say otherwise. */
export function aStream(members: Partial<ShownStream<string>> = {}): ShownStream<string> {
  return {
    id: 'hook',
    streamId: undefined,
    blockType: 'ask-question',
    model: undefined,
    continues: undefined,
    sample: undefined,
    status: 'ready',
    isLoading: false,
    isComplete: false,
    isFinal: false,
    text: '',
    data: '',
    items: [],
    arriving: {},
    result: undefined,
    error: undefined,
    thinking: undefined,
    queuePlace: null,
    lineProblem: undefined,
    isStopping: false,
    finishReason: undefined,
    transport: undefined,
    isFallback: false,
    nextTryAt: undefined,
    retryAt: null,
    metrics: { firstTokenMs: undefined, tokensPerSecond: undefined, reconnects: 0 },
    input: undefined,
    prompt: undefined,
    options: undefined,
    earlier: [],
    submit: vi.fn(async () => undefined),
    stop: vi.fn(async () => undefined),
    regenerate: vi.fn(async () => undefined),
    resume: vi.fn(async () => undefined),
    reconnectNow: vi.fn(),
    disconnect: vi.fn(),
    clearError: vi.fn(),
    reset: vi.fn(),
    ...members,
  };
}

const ASKED = {
  streamId: STREAM_ID,
  prompt: 'Why is the sky blue?',
  options: {},
  input: { blockType: 'ask-question', prompt: 'Why is the sky blue?' },
};

/** A stream in mid-answer. */
export function aLiveStream(members: Partial<ShownStream<string>> = {}): ShownStream<string> {
  const text = 'Sunlight looks white';
  return aStream({
    ...ASKED,
    status: 'streaming',
    isLoading: true,
    text,
    data: text,
    transport: 'sse',
    ...members,
  });
}

/** A complete stream. */
export function anEndedStream(members: Partial<ShownStream<string>> = {}): ShownStream<string> {
  return aLiveStream({
    status: 'ready',
    isLoading: false,
    isComplete: true,
    isFinal: true,
    finishReason: 'stop',
    ...members,
  });
}

export function aResource(members: Partial<StreamResource> = {}): StreamResource {
  return {
    stream_id: STREAM_ID,
    block_type: 'ask-question',
    prompt: 'Why is the sky blue?',
    options: {},
    model: 'local:smollm2-135m',
    status: 'complete',
    text: 'Because of the air.',
    items: [],
    arriving: {},
    result: null,
    seq: 9,
    created_at: '2026-01-01T00:00:00Z',
    started_at: '2026-01-01T00:00:00Z',
    ended_at: '2026-01-01T00:00:02.300Z',
    ttft_ms: 300,
    usage: { input_tokens: 10, output_tokens: 84 },
    finish_reason: 'stop',
    dropped: null,
    error: null,
    request_id: null,
    continues: null,
    sample: null,
    ...members,
  };
}

/** What `submit` gets for an input. */
export function sent(input: StreamInput): unknown {
  return { ...input, requestId: expect.any(String) };
}

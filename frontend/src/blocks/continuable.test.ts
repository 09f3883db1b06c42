import { expect, it } from 'vitest';
import { isTextCut } from './continuable';
import { aLiveStream, anEndedStream } from './shellFixtures';
import type { ShownStream } from './shownStream';

const failed = (code: string, members: Partial<ShownStream<string>> = {}) =>
  anEndedStream({ isComplete: false, finishReason: 'error', error: { code, message: '', isRetryable: true }, ...members });

it.each([
  ['an answer at the length limit', anEndedStream({ finishReason: 'length' }), true],
  ['a stopped answer', anEndedStream({ finishReason: 'cancelled' }), true],
  ['an interrupted answer', failed('provider_interrupted'), true],
  ['a finished answer', anEndedStream(), false],
  ['an answer that repeats itself', anEndedStream({ finishReason: 'repetition' }), false],
  ['a running answer', aLiveStream(), false],
  ['an empty answer', anEndedStream({ finishReason: 'cancelled', data: '' }), false],
  ['a refusal', failed('refused'), false],
  ['a lost connection', failed('connection_lost'), false],
  ['a continuation that was refused', failed('not_found', { streamId: undefined, continues: 'first' }), false],
] as const)('the rest of %s can be asked for, or not', (_, stream, expected) => {
  expect(isTextCut(stream)).toBe(expected);
});

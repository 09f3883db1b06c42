/** Whether a new stream can add what an answer lacks. */
import { isLineLost } from './ProblemNote';
import type { ShownStream } from './shownStream';

const NOT_CONTINUED = new Set(['refused', 'invalid_output', 'empty_answer']);

/** Whether a text ended before it was finished, so that the model can write the rest. */
export function isTextCut(stream: ShownStream<string>): boolean {
  if (stream.isLoading || stream.data === '') return false;
  const { finishReason, error, streamId } = stream;
  // A continuation that was refused: "Try again" asks for it, if anything can.
  if (finishReason === 'error' && streamId === undefined) return false;
  if (finishReason === 'error') return error !== undefined && !NOT_CONTINUED.has(error.code) && !isLineLost(stream);
  return finishReason === 'length' || finishReason === 'cancelled';
}

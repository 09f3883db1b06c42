/** Describes the state of an answer for the lists: a mark and a few words. */
import type { StreamSummary } from '@liveai/client';
import { counted, type WireState } from '../blocks';

export interface Ending {
  mark: WireState;
  words: string;
}

/** The score of a quiz, as stored on the device. */
export interface Score {
  right: number;
  answered: number;
}

const REASONS: Record<string, string> = {
  provider_timeout: 'model too slow',
  provider_rate_limited: 'model is busy',
  provider_unavailable: 'model unavailable',
  provider_rejected: 'request rejected',
  refused: 'declined to answer',
  provider_malformed: 'unreadable answer',
  provider_interrupted: 'stopped mid-answer',
  empty_answer: 'empty answer',
  invalid_output: 'unusable answer',
  generator_lost: 'server stopped',
  output_too_long: 'too long',
  deadline_exceeded: 'took too long',
  over_capacity: 'server full',
  store_unavailable: 'storage unavailable',
  shutting_down: 'server restarted',
  unauthorized: 'not allowed',
};

/** @param score - the score of a quiz that was started on this device. */
export function endingOf(stream: StreamSummary, score?: Score): Ending {
  switch (stream.status) {
    case 'queued':
      return { mark: 'waiting', words: 'waiting' };
    case 'running':
      return { mark: 'live', words: 'writing' };
    case 'cancelled':
      return { mark: 'stopped', words: 'stopped' };
    case 'error':
      return { mark: 'failed', words: REASONS[stream.error?.code ?? ''] ?? 'failed' };
    default:
      return { mark: 'ended', words: sizeWords(stream, score) };
  }
}

/** Whether the stream has not ended. */
export function isRunning({ status }: Pick<StreamSummary, 'status'>): boolean {
  return status === 'queued' || status === 'running';
}

function sizeWords({ result, text }: StreamSummary, score: Score | undefined): string {
  const questions = lengthOf(result?.['questions']);
  if (questions !== undefined) {
    return score && score.answered > 0
      ? `${score.right} of ${Math.min(score.answered, questions)} right`
      : counted(questions, 'question');
  }
  const nodes = lengthOf(result?.['nodes']);
  if (nodes !== undefined) return `${counted(nodes, 'step')}, ${counted(lengthOf(result?.['edges']) ?? 0, 'link')}`;
  if (result) return counted(Object.keys(result).length, 'field');
  return counted(text.split(/\s+/u).filter(Boolean).length, 'word');
}

function lengthOf(value: unknown): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

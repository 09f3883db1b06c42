/** How a preview goes, in words. */
import type { StreamState } from '@liveai/client';

export type Phase = 'idle' | 'asking' | 'running' | 'stopped' | 'over';

export function statusWords(phase: Phase, state: StreamState): string {
  if (phase === 'asking') return 'Asking the model…';
  if (phase === 'stopped') return 'Stopped.';
  if (phase === 'running') {
    if (state.thinking?.isThinking) return `The model is thinking… ${seconds(state.thinking.sinceMs)}`;
    return state.lastSeq < 0 ? 'Waiting for the first word…' : 'Writing…';
  }
  const end = state.terminal;
  if (phase !== 'over' || end === undefined) return '';
  if (end.type === 'error') return `${end.message} (${end.code})`;
  if (end.type === 'cancelled') return 'Stopped.';
  const { usage, ttft_ms: first, duration_ms: total, finish_reason: reason, dropped } = end;
  const left = Object.values(dropped ?? {}).reduce((sum, count) => sum + count, 0);
  const facts = [
    `${usage.output_tokens.toLocaleString('en')} tokens${usage.estimated ? ' (estimated)' : ''}`,
    first === null ? '' : `first word after ${seconds(first)}`,
    `done after ${seconds(total)}`,
    reason === 'length' ? 'cut at the length limit' : reason === 'repetition' ? 'stopped: it repeated itself' : '',
    left > 0 ? `${left} invalid ${left === 1 ? 'part' : 'parts'} left out` : '',
  ];
  return `${facts.filter(Boolean).join(', ')}.`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

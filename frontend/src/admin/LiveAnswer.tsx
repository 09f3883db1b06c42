/** The answer on the admin's page of a stream: it grows while the stream runs. */
import { useEffect, useEffectEvent, useLayoutEffect } from 'react';

import { type AIStream, type OutputName, type StreamSource } from '@liveai/client';
import { useAIStreaming } from '@liveai/client/react';
import { AnswerView } from '../blocks/AnswerView';

export interface LiveAnswerProps {
  /** Watches through the admin's own address. */
  client: StreamSource;
  streamId: string;
  output: OutputName;
  prompt: string;
  /** Whether the stream had ended when the page was made: then the rest of the page is complete. */
  hadEnded: boolean;
  /** Called once there is something to see, which replaces the text that the page came with. */
  onShown(): void;
}

export function LiveAnswer({ client, streamId, output, prompt, hadEnded, onShown }: LiveAnswerProps) {
  const stream = useAIStreaming({ client });
  const watch = useEffectEvent((id: string) => void stream.resume(id));
  useEffect(() => watch(streamId), [streamId]);
  const { text, items, arriving, result, isLoading } = stream;
  const hasAny = text !== '' || items.length > 0 || Object.keys(arriving).length > 0;
  const show = useEffectEvent(onShown);
  useLayoutEffect(() => {
    if (hasAny) show();
  }, [hasAny]);
  const words = wordsOf(stream, hadEnded);
  return (
    <div className="transcript">
      <output className="transcript-state">
        {words}
        {!hadEnded && hasEnded(stream) && (
          <>
            {' '}
            <a href={location.pathname}>Reload for the facts</a>
          </>
        )}
      </output>
      {hasAny && <AnswerView output={output} parts={{ text, items, arriving, result }} prompt={prompt} isLive={isLoading} />}
    </div>
  );
}

/** Whether the stream itself has ended, and not only the connection to it. */
function hasEnded({ finishReason, streamId, error, isLoading }: AIStream): boolean {
  if (isLoading || streamId === undefined) return false;
  return finishReason !== undefined && (error === undefined || !LINE_PROBLEMS.has(error.code));
}

const LINE_PROBLEMS = new Set(['connection_lost', 'forbidden', 'not_found', 'not_authenticated', 'unreachable', 'too_many_streams', 'rate_limited']);

function wordsOf(stream: AIStream, hadEnded: boolean): string {
  const { error, status, queuePlace, thinking, isLoading } = stream;
  if (hasEnded(stream)) return hadEnded ? '' : 'The answer has ended.';
  if (error !== undefined) return `The answer can’t be followed any more: ${error.message}`;
  if (hadEnded || !isLoading) return '';
  if (status === 'reconnecting') return 'The connection was lost. Trying again…';
  if (queuePlace !== null) return `Waiting in line, place ${queuePlace}.`;
  if (status === 'submitted') return thinking?.isThinking === true ? 'The model is thinking…' : 'Waiting for the first word…';
  return 'Live: the answer appears while it is written.';
}

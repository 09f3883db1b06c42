/** The sign of life before the first word arrives. */
import { use, useEffect } from 'react';
import type { OutputName, Thinking } from '@liveai/client';
import { inLineWords } from './inLine';
import { waitingWordsOf } from './kinds';
import { RefreshSiteContext, useSite } from './site';
import { ThinkingTime } from './ThinkingTime';
import { useSeconds, useSecondsSince } from './useSeconds';
import type { WireState } from './Wire';

/** Seconds after which the waiting time is shown. */
const TELL_AFTER = 3;
/** Seconds without a sign of thinking after which a whole answer is being written unseen. */
const STILL_AFTER = 5;
/** Seconds after which the wait is called long. */
const LONG_AFTER = 20;

export interface WaitingProps {
  state: WireState;
  output: OutputName;
  words?: string;
  thinking?: Thinking;
  /** The place in line on a full server. */
  queuePlace?: number | null;
  /** False until the server is known to have the question. */
  isTaken: boolean;
}

/** Shown in place of an answer that has no content. */
export function Waiting({ state, output, words = waitingWordsOf(output), thinking, queuePlace = null, isTaken }: WaitingProps) {
  if (state === 'waiting' && queuePlace !== null) return <p className="waiting">{inLineWords(queuePlace)}.</p>;
  if (state === 'waiting') return <SignOfLife words={words} thinking={thinking} isTaken={isTaken} />;
  return <p className="waiting">{NOTHING[state]}</p>;
}

const NOTHING: Readonly<Record<Exclude<WireState, 'waiting'>, string>> = {
  live: '',
  lost: 'No answer yet.',
  ended: 'The answer is empty.',
  stopped: 'Stopped.',
  failed: 'No answer.',
};

function SignOfLife({ words, thinking, isTaken }: Pick<WaitingProps, 'thinking' | 'isTaken'> & { words: string }) {
  const { config } = useSite();
  const refresh = use(RefreshSiteContext);
  // An admin may have switched streaming on or off since the page was opened.
  useEffect(refresh, [refresh]);
  const seconds = useSeconds();
  const isWhole = config?.streaming.enabled === false;
  const isStill = useSecondsSince(thinking) < STILL_AFTER;
  if (thinking?.isThinking && (isStill || !isWhole)) {
    return (
      <p className="waiting">
        Thinking
        <span className="waiting-dots">…</span>
        <ThinkingTime className="waiting-time" thinking={thinking} />
      </p>
    );
  }
  const isLate = !isTaken && seconds >= TELL_AFTER;
  const wholeWords = isWhole ? 'Streaming is off: the answer appears when it is finished' : words;
  return (
    <p className="waiting">
      {isLate ? 'Waiting for the server' : wholeWords}
      <span className="waiting-dots">…</span>
      {seconds >= TELL_AFTER && <span className="waiting-time">{seconds} s</span>}
      {seconds >= LONG_AFTER && isTaken && !isWhole && (
        <span className="waiting-long">
          The model is slow to start. It may still be loading.
        </span>
      )}
    </p>
  );
}

/** Explains a problem: what happened, what was kept, what to do, and the error code. */
import { useState } from 'react';
import type { StreamProblem } from '@liveai/client';
import { isAboutPlaces, reasonWords, spokenWhen } from './later';
import { isRefusal, Refusal } from './Refusal';
import type { ShownStream } from './shownStream';
import { useSite } from './site';
import { useWhenWords } from './useSeconds';

export interface ProblemNoteProps {
  stream: ShownStream<unknown>;
  /** Whether part of the answer has arrived. */
  hasContent: boolean;
}

export function ProblemNote({ stream, hasContent }: ProblemNoteProps) {
  const { error } = stream;
  if (error === undefined) return null;
  if (stream.isLoading) return <StopNote error={error} />;
  if (isRefusal(stream)) return <Refusal className="note" words={error.message} hasContent={hasContent} />;
  if (isForeign(error) && stream.streamId !== undefined) return <ForeignNote error={error} />;
  if (error.code === 'not_authenticated') return <SignInNote />;
  if (error.code === 'not_found' && stream.continues !== undefined) return <GoneNote />;
  return (
    <p className="note note-bad" role="alert">
      <b>{sentence(reasonWords(error))}</b> {hasContent && !isUnusable(error) && 'What was written is kept. '}
      {adviceOf(stream, error)}
      {stream.retryAt !== null && <Wait key={stream.retryAt} error={error} until={stream.retryAt} />}
      <code className="note-code">{error.code}</code>
    </p>
  );
}

/**
 * An alert is read out whenever it changes. So it holds a text for screen readers that stays as it
 * is; what is counted down is hidden from them here. The button has it, too.
 */
function Wait({ error, until }: { error: StreamProblem; until: number }) {
  const [spoken] = useState(() => spokenWhen(until, Date.now()));
  const when = useWhenWords(until);
  const words = isAboutPlaces(error) ? 'A place may be free' : 'You can try again';
  return (
    <>
      {when !== undefined && <span className="visually-hidden">{`${words} ${spoken}. `}</span>}
      {isAboutPlaces(error) && <span aria-hidden="true">{`${words} ${when ?? 'now'}. `}</span>}
    </>
  );
}

/** The stop failed, so the answer continues; the Stop button stays available. */
function StopNote({ error }: { error: StreamProblem }) {
  return (
    <p className="note note-bad" role="alert">
      <b>This answer couldn’t be stopped.</b> {reasonOf(error)} It is still being written.
      <code className="note-code">{error.code}</code>
    </p>
  );
}

/** The server no longer shows the stream to this browser. It may still be being written. */
function ForeignNote({ error }: { error: StreamProblem }) {
  return (
    <p className="note note-bad" role="alert">
      <b>You can’t follow this answer any more.</b> {NOT_YOURS} What has arrived stays here until you leave this
      page.
      <code className="note-code">{error.code}</code>
    </p>
  );
}

/** Without a valid session the server hides a stream, so its own message would mislead. */
function isForeign({ code }: StreamProblem): boolean {
  return code === 'not_found' || code === 'not_authenticated' || code === 'csrf_failed';
}

const NOT_YOURS =
  'You may have signed in or out, or your browser blocks cookies.';

function reasonOf(error: StreamProblem): string {
  return isForeign(error) ? NOT_YOURS : sentence(error.message);
}

/** The answer to be continued was deleted, in another tab for example. */
function GoneNote() {
  return (
    <p className="note note-bad" role="alert">
      <b>This answer was deleted, so it can’t be continued.</b> What is here stays until you leave this page.
      <code className="note-code">not_found</code>
    </p>
  );
}

function SignInNote() {
  const url = useSite().signInUrl?.();
  return (
    <p className="note note-bad" role="alert">
      <b>Sign in to ask.</b> Your question is kept.{' '}
      {url !== undefined && (
        <a className="button button-strong" href={url}>
          Sign in
        </a>
      )}
    </p>
  );
}

/** Nothing of such an answer is kept. */
export function isUnusable(error: StreamProblem | undefined): boolean {
  const code = error?.code;
  return code === 'invalid_output' || code === 'empty_answer';
}

/** Whether only the connection was given up; the answer may continue on the server. */
export function isLineLost(stream: Pick<ShownStream<unknown>, 'error' | 'streamId'>): boolean {
  return stream.error?.code === 'connection_lost' && stream.streamId !== undefined;
}

/**
 * Whether trying again means the same question or stream, and not a new one: no stream has been seen
 * to take it, but one may have.
 */
export function isSameAgain(stream: Pick<ShownStream<unknown>, 'error' | 'streamId'>): boolean {
  return isLineLost(stream) || stream.streamId === undefined;
}

/** Advice that the buttons below do not give. */
function adviceOf(stream: ShownStream<unknown>, { code }: StreamProblem): string {
  if (code === 'unauthorized') return 'Sign in, then ask again. ';
  if (isLineLost(stream)) return 'Try again to see it. ';
  return stream.streamId === undefined && stream.continues === undefined ? 'Your question is kept. ' : '';
}

export function sentence(message: string): string {
  const text = message.trim();
  if (text === '') return 'Something went wrong.';
  return /[.!?…。！？]['’"”)]?$/u.test(text) ? text : `${text}.`;
}

/** A question between the click that asks it and the stream that takes it. */
import { newRequestId, type StreamInput } from '@liveai/client';
import { forgetPrompt, HOME, readDraft, writeDraft } from './draft';

/** A question that was sent, and that no stream was seen to take. */
interface Sent {
  requestId: string;
  question: string;
}

/**
 * Keeps a question until a stream has taken it: the block's composer offers it again, also after
 * Back and a reload. What is typed there already stays. Nobody typed the prompt of a sample or of a
 * continuation.
 *
 * @returns the input to send. The same question gets the same request id until it is taken: the
 *   server may have taken it without being heard, and must not answer it twice.
 */
export function keepQuestion(slug: string, input: StreamInput): StreamInput {
  const { prompt, options, sample, continues } = input;
  if ((sample ?? continues) === undefined) {
    const draft = readDraft(slug);
    if (draft.prompt.trim() === '') writeDraft(slug, { ...draft, prompt });
  }
  const question = JSON.stringify([prompt, options ?? {}, sample, continues]);
  const before = readSent(slug);
  const requestId = before?.question === question ? before.requestId : newRequestId();
  writeSent(slug, { requestId, question });
  return { ...input, requestId };
}

/** Forgets a question that a stream has taken, wherever it was typed. */
export function forgetQuestion(slug: string, prompt: string): void {
  forgetPrompt([slug, HOME], prompt);
  forgetSent(slug);
}

/** Call it when a question is stopped: asked again, it is a new one. */
export function forgetSent(slug: string): void {
  writeSent(slug, undefined);
}

function nameOf(slug: string): string {
  return `liveai.sent.${slug}`;
}

/** In this tab only: the same question in another tab is another one. */
function readSent(slug: string): Sent | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(nameOf(slug)) ?? 'null');
    const { requestId, question } = (kept ?? {}) as Partial<Sent>;
    return typeof requestId === 'string' && typeof question === 'string' ? { requestId, question } : undefined;
  } catch {
    return undefined; // storage is blocked
  }
}

function writeSent(slug: string, sent: Sent | undefined): void {
  try {
    if (sent) sessionStorage.setItem(nameOf(slug), JSON.stringify(sent));
    else sessionStorage.removeItem(nameOf(slug));
  } catch {
    // Storage is full or blocked.
  }
}

/** Runs one preview: posts the form, and follows the events of the answer. */
import type { StreamState } from '@liveai/client';
import { EMPTY, reduce } from '../ai/core/state';
import { readEventStream } from '../ai/eventStream';

/** Sentences by the name of a field. */
export type FieldProblems = Readonly<Record<string, readonly string[]>>;

/** How a preview ended without an event that says so. */
export interface PreviewProblem {
  message: string;
  /** From the contract; undefined if the site itself was not reached. */
  code?: string;
  /** What is wrong with the form; empty if it is something else. */
  fields: FieldProblems;
}

/**
 * Asks the model with the unsaved values of a form.
 *
 * @param body - the form's values, and those of the preview beside them.
 * @param onState - called with each new state of the answer.
 * @param signal - stops the model.
 * @returns what kept it from an end; undefined after a terminal event, and if it was stopped.
 */
export async function runPreview(
  url: string,
  body: FormData,
  onState: (state: StreamState) => void,
  signal: AbortSignal,
): Promise<PreviewProblem | undefined> {
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', body, signal, headers: { Accept: 'text/event-stream' } });
  } catch {
    return signal.aborted ? undefined : problem('The site can’t be reached.');
  }
  const type = response.headers.get('Content-Type') ?? '';
  if (!type.startsWith('text/event-stream') || !response.body) return refusal(response, type);
  let state = EMPTY;
  await readEventStream(response.body, {
    onEvent: (event) => {
      [state] = reduce(state, event);
      onState(state);
    },
    onAlive: () => undefined,
  });
  if (state.terminal || signal.aborted) return undefined;
  return problem('The connection was lost, and the preview with it.');
}

function problem(message: string, code?: string, fields: FieldProblems = {}): PreviewProblem {
  return { message, code, fields };
}

async function refusal(response: Response, type: string): Promise<PreviewProblem> {
  if (!type.includes('json')) {
    return problem('Your session has ended, or your rights have changed. Reload the page, and sign in again.');
  }
  try {
    const { detail, code, errors, field } = (await response.json()) as {
      detail?: string;
      code?: string;
      errors?: FieldProblems;
      field?: string;
    };
    const message = detail ?? 'The preview was refused.';
    return problem(message, code, errors ?? (field === undefined ? {} : { [field]: [message] }));
  } catch {
    return problem('The preview was refused.');
  }
}

/** The server calls that the pages use; tests inject their own. */
import { createContext, useContext } from 'react';

import { type Api, ApiError, type StreamProblem } from '../ai';

export type PagesApi = Pick<Api, 'config' | 'blocks' | 'stream' | 'streams' | 'remove' | 'cancel'>;

export const ApiContext = createContext<PagesApi | null>(null);

export function useApi(): PagesApi {
  const api = useContext(ApiContext);
  if (!api) throw new Error('Put <ApiContext value={new Api()}> around the pages.');
  return api;
}

/** Why a call failed, as a message for the user. */
export function problemOf(reason: unknown): StreamProblem {
  if (reason instanceof ApiError) return reason.problem;
  return {
    code: 'unreachable',
    message: 'The server could not be reached. Check your connection.',
    isRetryable: true,
  };
}

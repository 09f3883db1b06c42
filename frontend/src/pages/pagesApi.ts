/** The server calls that the pages use; tests inject their own. */
import { createContext, useContext } from 'react';

import { type Api, ApiError, type StreamProblem } from '@liveai/client';
import { isUnreached } from '../blocks';

export type PagesApi = Pick<Api, 'isAlive' | 'config' | 'blocks' | 'stream' | 'streams' | 'remove' | 'cancel'>;

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
    message: 'The server can’t be reached.',
    isRetryable: true,
  };
}

/** A network may swallow a request for minutes, in ms. */
const SLOW_MS = 8_000;

/**
 * Returns the same calls, which report the failures that say nothing about the request.
 *
 * @param onDoubt - called for each call that the server itself did not answer, or not in 8 s.
 */
export function watched(api: PagesApi, onDoubt: () => void): PagesApi {
  const seen = <T>(answer: Promise<T>): Promise<T> => {
    const timer = setTimeout(onDoubt, SLOW_MS);
    answer
      .catch((reason: unknown) => {
        if (isUnreached(problemOf(reason))) onDoubt();
      })
      .finally(() => clearTimeout(timer));
    return answer;
  };
  return {
    isAlive: () => api.isAlive(),
    config: () => seen(api.config()),
    blocks: () => seen(api.blocks()),
    stream: (streamId) => seen(api.stream(streamId)),
    streams: (filter) => seen(api.streams(filter)),
    remove: (streamId) => seen(api.remove(streamId)),
    cancel: (streamId) => seen(api.cancel(streamId)),
  };
}

/** Loads a stored stream, and the streams that it continues. */
import type { StreamResource } from '@liveai/client';
import { type PagesApi, problemOf } from './pagesApi';

/** A server allows no longer chains; a broken one must not load for ever. */
const MOST_EARLIER = 50;

export interface OpenedStream {
  stream: StreamResource;
  /** The oldest first. It ends where an earlier stream was deleted. */
  earlier: readonly StreamResource[];
}

/** Throws an `ApiError` if a stream can't be loaded; a deleted earlier one is no error. */
export async function openStream(api: Pick<PagesApi, 'stream'>, streamId: string): Promise<OpenedStream> {
  const stream = await api.stream(streamId);
  const earlier: StreamResource[] = [];
  for (let before: StreamResource | undefined = stream; before?.continues && earlier.length < MOST_EARLIER; ) {
    before = await api.stream(before.continues).catch(noneIfDeleted);
    if (before) earlier.unshift(before);
  }
  return { stream, earlier };
}

function noneIfDeleted(reason: unknown): undefined {
  if (problemOf(reason).code !== 'not_found') throw reason;
}

/**
 * The React side of the client: thin bindings over `StreamStore`. The only module here that imports
 * React.
 */
import { useCallback, useEffect, useId, useMemo, useState, useSyncExternalStore } from 'react';

import type { DiagramData, JsonData, QuizData } from './core/blockData';
import { dataOf } from './core/blockData';
import { CommitScheduler } from './commitScheduler';
import { recall } from './remembered';
import { StreamClient } from './streamClient';
import { StreamStore } from './streamStore';
import type {
  AIBlockStream,
  AIStream,
  StreamInput,
  StreamRequest,
  UseAIStreamingOptions,
} from './types';

const THROTTLE_MS = 50;

let shared: StreamClient | undefined;

/** The client that hooks use by default; there is one per page. */
export function defaultClient(): StreamClient {
  shared ??= new StreamClient();
  return shared;
}

/**
 * Follows one stream at a time: start, show, stop, resume.
 *
 * Renders at most once per `throttle` ms, however fast the answer arrives. Callbacks may change
 * between renders; the latest ones are called. Unmounting does not stop the answer, unless
 * `onUnmount` says so.
 */
export function useAIStreaming(options: UseAIStreamingOptions = {}): AIStream {
  const ownId = useId();
  const id = options.id ?? ownId;
  const throttleMs = options.throttle ?? THROTTLE_MS;
  const [store] = useState(
    () =>
      new StreamStore(withClient(options), (commit) => new CommitScheduler(commit, throttleMs)),
  );
  useEffect(() => {
    store.setOptions(withClient(options));
  });
  useEffect(() => {
    store.stay();
    return () => store.leaveSoon();
  }, [store]);
  const resumeId = options.resume ? options.id : undefined;
  useEffect(() => {
    const streamId = resumeId === undefined ? undefined : recall(resumeId);
    if (streamId !== undefined && store.streamId === undefined) void store.watch(streamId);
  }, [store, resumeId]);

  const view = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  return useMemo(() => ({ ...view, ...actionsOf(store), id }), [view, store, id]);
}

/** The default client is made when a stream needs it, so a server that renders makes none. */
const withClient = (options: UseAIStreamingOptions): UseAIStreamingOptions => ({
  ...options,
  get client() {
    return options.client ?? defaultClient();
  },
});

const actions = new WeakMap<StreamStore, ReturnType<typeof makeActions>>();

/** Returns the same functions for the lifetime of a hook, so they may be used as dependencies. */
function actionsOf(store: StreamStore): ReturnType<typeof makeActions> {
  const made = actions.get(store) ?? makeActions(store);
  actions.set(store, made);
  return made;
}

function makeActions(store: StreamStore) {
  return {
    submit: (input: StreamRequest) => store.start(input),
    regenerate: async () => {
      if (store.input) await store.start({ ...store.input, requestId: undefined, sample: undefined });
    },
    resume: async (streamId?: string) => {
      const wanted = streamId ?? store.streamId;
      if (wanted !== undefined) await store.watch(wanted);
      else if (store.sameRequest) await store.start(store.sameRequest);
    },
    stop: () => store.stop(),
    reconnectNow: () => store.reconnectNow(),
    disconnect: () => store.disconnect(),
    clearError: () => store.clearError(),
    reset: () => store.reset(),
  };
}

/** The data of each built-in block. Any other block gives text or the parts of a JSON answer. */
interface DataByBlock {
  'ask-question': string;
  'explain-eli10': string;
  quiz: QuizData;
  diagram: DiagramData;
}
type DataOf<Slug extends string> = Slug extends keyof DataByBlock
  ? DataByBlock[Slug]
  : string | JsonData;

/**
 * `useAIStreaming` for one block type, with the answer in that block's own form.
 *
 * ```tsx
 * const { data, submit, isLoading } = useAIBlockStreaming('ask-question');
 * ```
 */
export function useAIBlockStreaming<const Slug extends string>(
  blockType: Slug,
  options: UseAIStreamingOptions = {},
): AIBlockStream<DataOf<Slug>> {
  const stream = useAIStreaming(options);
  const { submit: ask, text, items, arriving } = stream;
  const submit = useCallback(
    (input: StreamInput | string) =>
      ask({ ...(typeof input === 'string' ? { prompt: input } : input), blockType }),
    [ask, blockType],
  );
  const data = useMemo(
    () => dataOf(blockType, { text, items, arriving }) as DataOf<Slug>,
    [blockType, text, items, arriving],
  );
  const isFinal = stream.streamId !== undefined && !stream.isLoading;
  return useMemo(
    () => ({ ...stream, blockType, data, isFinal, submit }),
    [stream, blockType, data, isFinal, submit],
  );
}

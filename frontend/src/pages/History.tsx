/** Past answers: search, filter, open, delete; and the way to all of them. */
import { useCallback, useRef } from 'react';
import { Link, useSearchParams } from 'wouter';

import type { BlockInfo, HistoryFilter, StreamSummary } from '@liveai/client';
import { forgetAnswers, score, useAnnounce, useSite } from '../blocks';
import { BinIcon } from '../look/icons';
import { useAddress } from './address';
import { type Boot, signInUrl } from './boot';
import { DeleteInPlace } from './DeleteInPlace';
import { isRunning } from './ending';
import { HistoryFilters } from './HistoryFilters';
import { Problem } from './Problem';
import { StreamRow } from './StreamRow';
import { dayWords } from './time';
import { useNow } from './Time';
import { type HistoryList, useHistory } from './useHistory';
import { usePage } from './usePage';

const STATUSES: readonly string[] = ['complete', 'error', 'cancelled', 'running'];

export function History({ boot }: { boot: Boot }) {
  usePage('History');
  const { blocks = [] } = useSite();
  const address = useAddress();
  const [params, setParams] = useSearchParams();
  const filter = filterOf(params);
  const list = useHistory(filter);
  const isNarrowed = Boolean(filter.q ?? filter.blockType ?? filter.status);
  const change = useCallback(
    (name: string, value: string) => {
      const changed = (now: URLSearchParams) => {
        if (value) now.set(name, value);
        else now.delete(name);
        return now;
      };
      setParams(changed, { replace: true });
    },
    [setParams],
  );
  const isRefused = list.is === 'failed' && list.problem?.code === 'not_authenticated';
  const isSignedOut = isRefused && Boolean(boot.loginUrl);

  return (
    <div className="history">
      <h1>History</h1>
      {!isSignedOut && <HistoryFilters filter={filter} blocks={blocks} onChange={change} />}
      {list.is === 'loading' && <p className="page-waiting">Loading…</p>}
      {isSignedOut && (
        <>
          <p>Sign in to see your history.</p>
          <p className="page-ways">
            <a className="button button-strong" href={signInUrl(boot, address('/history'))}>
              Sign in
            </a>
          </p>
        </>
      )}
      {list.is === 'failed' && list.problem && !isSignedOut && (
        <Problem title="Couldn’t load your history." problem={list.problem} onAgain={list.again} />
      )}
      {list.is === 'ready' && list.rows.length === 0 && !list.hasMore && (
        <Nothing isNarrowed={isNarrowed} onAll={() => setParams({}, { replace: true })} />
      )}
      {list.is === 'ready' && list.rows.length === 0 && list.hasMore && <NothingYet list={list} />}
      {list.rows.length > 0 && <Days list={list} blocks={blocks} />}
      {list.is === 'ready' && boot.dataUrl !== null && (
        <p className="history-data">
          <a href={boot.dataUrl}>Your data</a>: export or delete all answers
        </p>
      )}
    </div>
  );
}

function Days({ list, blocks }: { list: HistoryList; blocks: readonly BlockInfo[] }) {
  const now = useNow();
  const announce = useAnnounce();
  const days = useRef<HTMLDivElement>(null);
  const gone = (stream: StreamSummary) => {
    // The focused row disappears, so move the focus.
    const links = [...(days.current?.querySelectorAll<HTMLElement>('.row-link') ?? [])];
    const index = list.rows.indexOf(stream);
    (links[index + 1] ?? links[index - 1])?.focus();
    forgetAnswers(stream.stream_id);
    announce('Deleted');
    list.removed(stream.stream_id);
  };

  return (
    <div ref={days}>
      <output className="visually-hidden">
        {list.hasMore && 'At least '}
        {list.rows.length} found
      </output>
      {groupedByDay(list.rows, now).map(([day, rows]) => (
        <section key={day} className="history-day" aria-label={day}>
          <h2>{day}</h2>
          <ul className="rows">
            {rows.map((stream) => (
              <StreamRow
                key={stream.stream_id}
                stream={stream}
                block={blocks.find((block) => block.slug === stream.block_type)}
                now={now}
                score={score(stream.stream_id)}
                isUnderDay
              >
                {!isRunning(stream) && (
                  <DeleteInPlace
                    className="button button-plain row-delete"
                    streamId={stream.stream_id}
                    name={stream.prompt}
                    onGone={() => gone(stream)}
                  >
                    <BinIcon size={17} />
                  </DeleteInPlace>
                )}
              </StreamRow>
            ))}
          </ul>
        </section>
      ))}
      {list.problem && <Problem title="Couldn’t load more." problem={list.problem} />}
      {list.hasMore && (
        <button type="button" className="button" disabled={list.isLoadingMore} onClick={list.more}>
          {list.isLoadingMore ? 'Loading…' : 'Show more'}
        </button>
      )}
    </div>
  );
}

/** The search of a long history proceeds in pieces. */
function NothingYet({ list }: { list: HistoryList }) {
  return (
    <div className="page-empty">
      <output>No matches in your newer answers.</output>
      {list.problem && <Problem title="Couldn’t continue the search." problem={list.problem} />}
      <p className="page-ways">
        <button
          type="button"
          className="button button-strong"
          disabled={list.isLoadingMore}
          onClick={list.more}
        >
          {list.isLoadingMore ? 'Loading…' : 'Search older answers'}
        </button>
      </p>
    </div>
  );
}

function Nothing({ isNarrowed, onAll }: { isNarrowed: boolean; onAll(): void }) {
  return (
    <div className="page-empty">
      <output>
        {isNarrowed
          ? 'No matches. Try other words or clear the filters.'
          : 'No questions yet. Your answers will appear here.'}
      </output>
      <p className="page-ways">
        {isNarrowed ? (
          <button type="button" className="button button-strong" onClick={onAll}>
            Clear filters
          </button>
        ) : (
          <Link className="button button-strong" href="/">
            Ask something
          </Link>
        )}
      </p>
    </div>
  );
}

/** Reads the filter from the address, so that Back from an answer restores it. */
function filterOf(params: URLSearchParams): HistoryFilter {
  const status = params.get('status') ?? '';
  return {
    q: params.get('q') || undefined,
    blockType: params.get('kind') || undefined,
    status: STATUSES.includes(status) ? (status as HistoryFilter['status']) : undefined,
  };
}

function groupedByDay(rows: readonly StreamSummary[], now: Date): [string, StreamSummary[]][] {
  const days = new Map<string, StreamSummary[]>();
  for (const row of rows) {
    const day = dayWords(new Date(row.created_at), now);
    days.set(day, [...(days.get(day) ?? []), row]);
  }
  return [...days];
}

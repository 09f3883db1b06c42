/** One answer in a list: its kind, prompt, state and time. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { BlockInfo, StreamSummary } from '@liveai/client';
import { WireMark, writingOf } from '../blocks';
import { KindIcon } from '../look/icons';
import { endingOf, type Score } from './ending';
import { streamPath } from './scenes';
import { Time } from './Time';

export interface StreamRowProps {
  stream: StreamSummary;
  /** Undefined if the block type no longer exists. */
  block: BlockInfo | undefined;
  now: Date;
  score?: Score;
  isUnderDay?: boolean;
  /** The row's actions. */
  children?: ReactNode;
}

export function StreamRow({ stream, block, now, score, isUnderDay, children }: StreamRowProps) {
  const { mark, words } = endingOf(stream, score);
  return (
    <li className="row">
      <Link className="row-link" href={streamPath(stream.stream_id)}>
        <span className="row-kind">
          <KindIcon slug={stream.block_type} output={block?.output} size={18} />
          <span className="visually-hidden">{block?.title ?? stream.block_type}: </span>
        </span>
        <span className="row-prompt" {...writingOf(stream.prompt)}>
          {stream.prompt}
        </span>
        <span className="row-facts">
          {stream.sample !== null && <span className="row-sample">Sample</span>}
          {mark !== 'ended' && <WireMark state={mark} />}
          <span className="row-words">{words}</span>
          <span className="row-time">
            <Time at={stream.created_at} now={now} isUnderDay={isUnderDay} />
          </span>
        </span>
      </Link>
      {children && <div className="row-actions">{children}</div>}
    </li>
  );
}

/** Below the title: what is shown, and the details of how it came about. */
import type { ReactNode } from 'react';
import type { BlockInfo, TransportName } from '@liveai/client';
import { KindIcon } from '../look/icons';
import type { ShownStream } from './shownStream';
import { ThinkingTime, thoughtWordsOf } from './ThinkingTime';

export interface FactsProps {
  block: BlockInfo;
  stream: ShownStream<unknown>;
  /** Default: the block's title. */
  kind?: string;
  isDemoModel?: boolean;
  /** Whether part of the answer is shown; until then, the waiting place shows the thinking. */
  hasContent?: boolean;
  /** `<li>`s after the block's name. They must keep their height, because the answer is below. */
  children?: ReactNode;
}

export function Facts({ block, stream, kind = block.title, isDemoModel, hasContent, children }: FactsProps) {
  const { thinking } = stream;
  const origin = originOf(stream, isDemoModel);
  return (
    <div className="facts">
      <ul className="facts-list">
        <li className="facts-kind">
          <KindIcon slug={block.slug} output={block.output} size={17} />
          {kind}
        </li>
        {children}
        {thinking?.isThinking && hasContent && (
          <li>
            Thinking… <ThinkingTime thinking={thinking} />
          </li>
        )}
      </ul>
      {origin !== undefined && <p className="facts-origin">{origin}</p>}
      <details className="facts-more">
        <summary>Details</summary>
        <dl>
          {detailsOf(block, stream).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

/** What a reader must know about the answer's source. */
function originOf({ sample }: ShownStream<unknown>, isDemoModel: boolean | undefined): string | undefined {
  if (sample !== undefined) return 'Sample, written by hand';
  return isDemoModel ? 'A small demo model: answers may be wrong.' : undefined;
}

function detailsOf(block: BlockInfo, stream: ShownStream<unknown>): [string, string][] {
  const isSample = stream.sample !== undefined;
  // The pace of a replay says nothing about a model.
  const { firstTokenMs, tokensPerSecond } = isSample ? NO_TIMES : stream.metrics;
  const { thinking, transport } = stream;
  const details: [string, string | undefined][] = [
    ['Block', block.title],
    ['Model', isSample ? undefined : modelName(stream.model ?? block.model) || undefined],
    ['Thinking', thinking && !thinking.isThinking ? thoughtWordsOf(thinking) : undefined],
    ['Started in', firstTokenMs === undefined ? undefined : seconds(firstTokenMs)],
    ['Speed', isSpeed(tokensPerSecond) ? `${pace(tokensPerSecond)} tokens/s` : undefined],
    ['Connection', transport && transportName(transport)],
  ];
  return details.filter((detail): detail is [string, string] => detail[1] !== undefined);
}

function isSpeed(tokensPerSecond: number | undefined): tokensPerSecond is number {
  return tokensPerSecond !== undefined && Number.isFinite(tokensPerSecond) && tokensPerSecond > 0;
}

function pace(tokensPerSecond: number): string {
  return tokensPerSecond < 9.95 ? Math.max(0.1, tokensPerSecond).toFixed(1) : String(Math.round(tokensPerSecond));
}

const NO_TIMES = { firstTokenMs: undefined, tokensPerSecond: undefined };

/** Returns a model's short name, without its provider, folders and `.gguf`. */
export function modelName(model: string): string {
  const name = model.replace(/^(local|openai):/u, '');
  return name.slice(name.lastIndexOf('/') + 1).replace(/\.gguf$/u, '');
}

export function transportName(transport: TransportName): string {
  return transport === 'sse' ? 'SSE' : 'WebSocket';
}

function seconds(ms: number): string {
  return ms < 9950 ? `${Math.max(0.1, ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** One line below the title: the model, its speed, and the transport. */
import type { ReactNode } from 'react';
import type { BlockInfo, TransportName } from '../ai';
import { KindIcon } from '../look/icons';
import { kindOf } from './kinds';
import type { ShownStream } from './shownStream';
import { ThinkingTime, thoughtWordsOf } from './ThinkingTime';

export interface FactsProps {
  block: BlockInfo;
  stream: ShownStream<unknown>;
  kind?: string;
  isDemoModel?: boolean;
  /** Whether part of the answer is shown; until then, the waiting place shows the thinking. */
  hasContent?: boolean;
  /** `<span>`s between the block's name and the model. */
  children?: ReactNode;
}

export function Facts({ block, stream, kind = kindOf(block), isDemoModel, hasContent, children }: FactsProps) {
  const { thinking } = stream;
  const isSample = stream.sample !== undefined;
  const { firstTokenMs, tokensPerSecond } = isSample ? NO_TIMES : stream.metrics;
  const model = modelName(stream.model ?? block.model);
  return (
    <p className="facts">
      <span className="facts-kind">
        <KindIcon slug={block.slug} output={block.output} size={17} />
        {kind}
      </span>
      {children}
      {isSample && <span>Sample, written by hand</span>}
      {!isSample && model !== '' && <span>{isDemoModel ? `${model}, a tiny demo model, often wrong` : model}</span>}
      {thinking && !thinking.isThinking && <span>{thoughtWordsOf(thinking)}</span>}
      {thinking?.isThinking && hasContent && (
        <span>
          Thinking… <ThinkingTime thinking={thinking} />
        </span>
      )}
      {firstTokenMs !== undefined && <span>first word {seconds(firstTokenMs)}</span>}
      {tokensPerSecond !== undefined && <span>{Math.round(tokensPerSecond)} tokens/s</span>}
      {stream.transport && <span>{transportName(stream.transport)}</span>}
    </p>
  );
}

/** The pace of a replay says nothing about a model. */
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

/** A block's page before anything is asked: title, description and composer. */
import type { BlockInfo, StreamInput, StreamProblem } from '@liveai/client';
import { Composer } from './Composer';
import { useDraft } from './draft';
import { examplesOf } from './kinds';
import { writingOf } from './text/writing';

export interface BlockComposerProps {
  block: BlockInfo;
  /** Replaces the saved draft. */
  initialPrompt?: string;
  initialOptions?: Record<string, unknown>;
  problem?: StreamProblem;
  examples?: readonly string[];
  hasFocus?: boolean;
  onAsk(input: StreamInput): void;
}

export function BlockComposer(props: BlockComposerProps) {
  const { block, examples = examplesOf(block) } = props;
  const draft = useDraft(block.slug, { prompt: props.initialPrompt, options: props.initialOptions });
  return (
    <>
      <h1 className="block-title" {...writingOf(block.title)}>
        {block.title}
      </h1>
      {block.description && (
        <p className="block-lead" {...writingOf(block.description)}>
          {block.description}
        </p>
      )}
      <Composer
        blocks={[block]}
        kind={block.slug}
        value={draft.prompt}
        onValue={draft.setPrompt}
        options={draft.options}
        onOptions={draft.setOptions}
        onAsk={props.onAsk}
        problem={props.problem}
        examples={examples.map((prompt) => ({ prompt }))}
        hasFocus={props.hasFocus}
      />
    </>
  );
}

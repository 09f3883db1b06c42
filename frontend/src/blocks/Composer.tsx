/** The prompt field and its options, for one block or with a choice of blocks. */
import { type SyntheticEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { BlockInfo, StreamInput, StreamProblem } from '../ai';
import { KindIcon } from '../look/icons';
import { Counter, lengthOf } from './Counter';
import { Examples } from './Examples';
import { placeholderOf } from './kinds';
import { OptionFields } from './OptionFields';
import { fieldsOf, missingOption, type OptionValues, optionsToSend } from './options';
import { Segment } from './Segment';
import { writingOf } from './text/writing';
import type { Example } from './types';
import '../look/composer.css';

export interface ComposerProps {
  /** The blocks to choose from; a single block offers no choice. */
  blocks: readonly BlockInfo[];
  /** The slug of the chosen block. */
  kind: string;
  onKind?(slug: string): void;
  value: string;
  onValue(value: string): void;
  /** The options of the chosen block; see `useDraft`. */
  options: OptionValues;
  onOptions(options: OptionValues): void;
  /** Called with a trimmed prompt within the limit and complete options. */
  onAsk(input: StreamInput): void;
  /** Why the server rejected the last input. */
  problem?: StreamProblem;
  /** Example prompts; choosing one fills the field. */
  examples?: readonly Example[];
  /** The field's accessible name. Default: the block's title. */
  label?: string;
  placeholder?: string;
  /** Whether the field is focused on mount. */
  hasFocus?: boolean;
  /** A prompt was submitted, and its stream does not exist yet. */
  isAsking?: boolean;
}

export function Composer(props: ComposerProps) {
  const { blocks, kind, value, options, problem } = props;
  const block = blocks.find(({ slug }) => slug === kind) ?? blocks[0];
  const id = useId();
  const field = useGrowingField();
  const [missing, setMissing] = useState<string>();
  const { hasFocus } = props;
  useEffect(() => {
    if (hasFocus) field.current?.focus();
  }, [hasFocus, field]);
  if (block === undefined) return null;

  const isTooLong = lengthOf(value.trim()) > block.prompt_limit;
  const ask = (event?: SyntheticEvent) => {
    event?.preventDefault();
    const prompt = value.trim();
    if (prompt === '' || isTooLong) return field.current?.focus();
    const absent = missingOption(fieldsOf(block.options), options);
    setMissing(absent?.name);
    if (absent || props.isAsking) return undefined;
    return props.onAsk({ prompt, options: optionsToSend(block.options, options) });
  };
  const choose = ({ prompt, kind: other }: Example) => {
    if (other !== undefined && other !== kind) props.onKind?.(other);
    props.onValue(prompt);
    field.current?.focus();
  };
  const optionProblem = missing
    ? { field: missing, message: 'This has to be set.' }
    : problem?.field && { field: problem.field, message: problem.message };
  const isFieldWrong = problem !== undefined && !isOption(block, problem.field);

  return (
    <>
      <form className="composer" onSubmit={ask} noValidate>
        <textarea
          ref={field}
          className="composer-text"
          rows={2}
          aria-label={props.label ?? block.title}
          placeholder={props.placeholder ?? placeholderOf(block)}
          aria-describedby={`${id}-count ${id}-problem`}
          aria-invalid={isTooLong || isFieldWrong || undefined}
          value={value}
          dir="auto"
          lang={writingOf(value).lang}
          onChange={(event) => props.onValue(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) ask(event);
          }}
        />
        <div className="composer-row">
          {blocks.length > 1 && (
            <Segment
              title="Kind of answer"
              choices={blocks.map((each) => ({ key: each.slug, label: <Kind block={each} /> }))}
              chosen={block.slug}
              onChoose={(slug) => props.onKind?.(slug)}
            />
          )}
          <OptionFields
            schema={block.options}
            values={options}
            onValues={props.onOptions}
            problem={optionProblem || undefined}
          />
          <Counter id={`${id}-count`} text={value.trim()} limit={block.prompt_limit} />
          <button
            type="submit"
            className="button button-main composer-ask"
            aria-keyshortcuts="Control+Enter Meta+Enter"
          >
            {props.isAsking ? 'Asking' : 'Ask'} <kbd aria-hidden="true">{SHORTCUT}</kbd>
          </button>
        </div>
        <div id={`${id}-problem`}>
          {isFieldWrong && (
            <p className="composer-problem" role="alert">
              <b>{problem.message}</b> <code className="note-code">{problem.code}</code>
            </p>
          )}
        </div>
      </form>
      {props.examples && <Examples examples={props.examples} onChoose={choose} />}
    </>
  );
}

function Kind({ block }: { block: BlockInfo }) {
  return (
    <>
      <KindIcon slug={block.slug} output={block.output} size={17} /> {block.title}
    </>
  );
}

const SHORTCUT =
  typeof navigator !== 'undefined' && /Mac|iPhone|iPad/u.test(navigator.userAgent) ? '⌘ ↵' : 'Ctrl ↵';

function isOption(block: BlockInfo, field: string | undefined): boolean {
  return field !== undefined && fieldsOf(block.options).some(({ name }) => name === field);
}

/** Grows the field with its text in browsers without `field-sizing`. */
function useGrowingField() {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element || (typeof CSS !== 'undefined' && CSS.supports?.('field-sizing', 'content'))) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  });
  return field;
}

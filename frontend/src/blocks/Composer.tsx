/** The prompt field and its options, for one block or with a choice of blocks. */
import { type SyntheticEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { BlockInfo, StreamInput, StreamProblem } from '@liveai/client';
import { hasTouchKeyboard, isAskKey } from './askKey';
import { Counter, lengthOf } from './Counter';
import { Examples } from './Examples';
import { Kinds } from './Kinds';
import { askWordsOf, placeholderOf } from './kinds';
import { OptionFields } from './OptionFields';
import { SignInToAsk } from './SignInToAsk';
import { useSite } from './site';
import { fieldsOf, fittingOptions, missingOption, type OptionValues, optionsToSend } from './options';
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
  /** The options of the chosen block; see `useDraft`. Those that it does not allow are ignored. */
  options: OptionValues;
  onOptions(options: OptionValues): void;
  /** The options of another block, for its examples. Default: none are set. */
  optionsOf?(slug: string): OptionValues;
  /** Called with a trimmed prompt within the limit and complete options. */
  onAsk(input: StreamInput, slug: string): void;
  /** Why the server rejected the last input. */
  problem?: StreamProblem;
  /** Example prompts. Choosing one asks it; if a required option is missing, it fills the field. */
  examples?: readonly Example[];
  /** The field's accessible name. Default: the block's title. */
  label?: string;
  placeholder?: string;
  /** Whether the field is focused on mount. */
  hasFocus?: boolean;
}

export function Composer(props: ComposerProps) {
  const { blocks, kind, value, problem } = props;
  const block = blocks.find(({ slug }) => slug === kind) ?? blocks[0];
  const id = useId();
  const field = useGrowingField();
  const signIn = useRef<HTMLAnchorElement>(null);
  const { mustSignIn = false } = useSite();
  const [missing, setMissing] = useState<string>();
  const { hasFocus } = props;
  useEffect(() => {
    if (hasFocus) field.current?.focus();
  }, [hasFocus, field]);
  if (block === undefined) return null;

  const isTouch = hasTouchKeyboard();
  const options = fittingOptions(block.options, props.options);
  const isTooLong = lengthOf(value.trim()) > block.prompt_limit;
  /** @returns whether it was asked; false if a required option has no value. */
  const send = (prompt: string, { slug, options: schema }: BlockInfo, values: OptionValues): boolean => {
    const absent = missingOption(fieldsOf(schema), values);
    setMissing(absent?.name);
    if (!absent) props.onAsk({ prompt, options: optionsToSend(schema, values) }, slug);
    return !absent;
  };
  const ask = (event?: SyntheticEvent) => {
    event?.preventDefault();
    const prompt = value.trim();
    if (prompt === '' || isTooLong) field.current?.focus();
    else if (mustSignIn) signIn.current?.click();
    else send(prompt, block, options);
  };
  const choose = (example: Example) => {
    const other = blocks.find(({ slug }) => slug === example.kind && slug !== block.slug);
    const values = other ? fittingOptions(other.options, props.optionsOf?.(other.slug) ?? {}) : options;
    if (!mustSignIn && send(example.prompt, other ?? block, values)) return;
    if (other) props.onKind?.(other.slug);
    if (mustSignIn || value.trim() === '') props.onValue(example.prompt);
  };
  const optionProblem = missing
    ? { field: missing, message: 'Required.' }
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
          aria-describedby={`${id}-count ${id}-problem ${id}-keys`}
          aria-invalid={isTooLong || isFieldWrong || undefined}
          enterKeyHint={isTouch ? 'enter' : 'send'}
          value={value}
          dir="auto"
          lang={writingOf(value).lang}
          onChange={(event) => props.onValue(event.target.value)}
          onKeyDown={(event) => {
            if (isAskKey(event)) ask(event);
          }}
        />
        <div className="composer-row">
          {blocks.length > 1 && (
            <Kinds blocks={blocks} chosen={block.slug} onChoose={(slug) => props.onKind?.(slug)} />
          )}
          <OptionFields
            schema={block.options}
            values={options}
            onValues={props.onOptions}
            problem={optionProblem || undefined}
          />
          <Counter id={`${id}-count`} text={value.trim()} limit={block.prompt_limit} />
        </div>
        {mustSignIn ? (
          <SignInToAsk id={`${id}-keys`} link={signIn} />
        ) : (
          <button type="submit" className="button button-main composer-ask">
            {askWordsOf(block.output)}
          </button>
        )}
        <div id={`${id}-problem`} className="composer-problems">
          {isFieldWrong && (
            <p className="composer-problem" role="alert">
              <b>{problem.message}</b> <code className="note-code">{problem.code}</code>
            </p>
          )}
        </div>
      </form>
      {!isTouch && !mustSignIn && (
        <p id={`${id}-keys`} className="composer-keys">
          Press Enter to ask, Shift+Enter for a new line
        </p>
      )}
      {props.examples && <Examples examples={props.examples} onChoose={choose} />}
    </>
  );
}

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

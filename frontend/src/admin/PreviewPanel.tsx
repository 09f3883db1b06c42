/** Beside the form of a block type: asks its model with the unsaved values, and shows the answer. */
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { StreamState } from '@liveai/client';
import { CommitScheduler } from '../ai/commitScheduler';
import { EMPTY } from '../ai/core/state';
import { OptionFields } from '../blocks/OptionFields';
import { labelOf, readForm, showProblems } from './blockForm';
import { PreviewAnswer } from './PreviewAnswer';
import { type PreviewProblem, runPreview } from './previewRun';
import { type Phase, statusWords } from './previewWords';

const THROTTLE_MS = 50;

export interface PreviewPanelProps {
  form: HTMLFormElement;
  url: string;
  /** The number of the block type that is edited; empty for a new one. */
  block: string;
}

export function PreviewPanel({ form, url, block }: PreviewPanelProps) {
  const values = useFormValues(form);
  const [prompt, setPrompt] = useState('');
  const [options, setOptions] = useState<Record<string, unknown>>({});
  const [asked, setAsked] = useState({ number: 0, output: values.output, prompt });
  const [phase, setPhase] = useState<Phase>('idle');
  const [state, setState] = useState<StreamState>(EMPTY);
  const [problem, setProblem] = useState<PreviewProblem>();
  const abort = useRef<AbortController>(undefined);
  const id = useId();
  useEffect(() => () => abort.current?.abort(), []);

  const isRunning = phase === 'asking' || phase === 'running';
  const ask = async () => {
    if (isRunning || prompt.trim() === '') return;
    const stopping = new AbortController();
    abort.current = stopping;
    setAsked({ number: asked.number + 1, output: values.output, prompt });
    setPhase('asking');
    setState(EMPTY);
    setProblem(undefined);
    showProblems(form, {});
    let latest: StreamState = EMPTY;
    const commits = new CommitScheduler(() => {
      setState(latest);
      setPhase('running');
    }, THROTTLE_MS);
    const found = await runPreview(
      url,
      bodyOf(form, { block, prompt, options }),
      (next) => {
        latest = next;
        commits.request();
      },
      stopping.signal,
    );
    commits.cancel();
    if (abort.current !== stopping) return;
    setState(latest);
    setProblem(found);
    setPhase(stopping.signal.aborted ? 'stopped' : 'over');
    if (found) showProblems(form, found.fields);
  };
  const stop = () => abort.current?.abort();
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void ask();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void ask();
  };
  const hasAnswer = state.text !== '' || state.items.length > 0 || Object.keys(state.arriving).length > 0;
  const option = problem && Object.entries(problem.fields)[0];

  return (
    <>
      <h2>Preview</h2>
      <p className="preview-lead">Uses the values of the form as they are now. Nothing is saved.</p>
      <form className="preview-form" onSubmit={onSubmit}>
        <label htmlFor={`${id}-prompt`}>Prompt</label>
        <textarea
          id={`${id}-prompt`}
          value={prompt}
          rows={3}
          dir="auto"
          maxLength={values.promptLimit || undefined}
          placeholder={values.examplePrompt}
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <OptionFields
          schema={values.options}
          values={options}
          onValues={setOptions}
          problem={option && { field: option[0], message: option[1].join(' ') }}
        />
        <p className="preview-buttons">
          {isRunning ? (
            // Of its own key: the click that stops must not submit what the button becomes.
            <button key="stop" type="button" className="preview-button" onClick={stop}>
              Stop
            </button>
          ) : (
            <button key="ask" type="submit" className="preview-button preview-main" disabled={prompt.trim() === ''}>
              Preview
            </button>
          )}
        </p>
      </form>
      <output className="preview-status">{problem ? '' : statusWords(phase, state)}</output>
      {problem && <Refused form={form} problem={problem} />}
      {hasAnswer && (
        <section className="preview-answer" aria-busy={isRunning} aria-label="Answer">
          <PreviewAnswer
            key={asked.number}
            output={asked.output}
            state={state}
            prompt={asked.prompt}
            isLive={isRunning}
          />
        </section>
      )}
    </>
  );
}

function Refused({ form, problem: { message, code, fields } }: { form: HTMLFormElement; problem: PreviewProblem }) {
  const rows = Object.entries(fields).filter(([name]) => form.elements.namedItem(name) !== null || name === '__all__');
  return (
    <div className="preview-problem" role="alert">
      <p>{code === undefined ? message : `${message} (${code})`}</p>
      {rows.length > 0 && (
        <ul>
          {rows.map(([name, sentences]) => (
            <li key={name}>
              {name !== '__all__' && <a href={`#id_${name}`}>{labelOf(form, name)}</a>} {sentences.join(' ')}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Follows what is typed in the form. */
function useFormValues(form: HTMLFormElement) {
  const [values, setValues] = useState(() => readForm(form));
  useEffect(() => {
    const read = () => setValues(readForm(form));
    form.addEventListener('input', read);
    form.addEventListener('change', read);
    return () => {
      form.removeEventListener('input', read);
      form.removeEventListener('change', read);
    };
  }, [form]);
  return values;
}

function bodyOf(
  form: HTMLFormElement,
  { block, prompt, options }: { block: string; prompt: string; options: Record<string, unknown> },
): FormData {
  const body = new FormData(form);
  const { properties = {} } = readForm(form).options as { properties?: Record<string, unknown> };
  // Options that the form no longer has are not sent.
  const chosen = Object.entries(options).filter(([name]) => name in properties);
  body.set('preview-block', block);
  body.set('preview-prompt', prompt);
  body.set('preview-options', JSON.stringify(Object.fromEntries(chosen)));
  return body;
}

/** Reads the admin's form of a block type, and shows problems at its fields. */
import type { OutputName } from '@liveai/client';
import type { FieldProblems } from './previewRun';

/** What the preview needs to know of the form as it is now. */
export interface FormValues {
  output: OutputName;
  /** The JSON Schema of the options; empty while its text is not one. */
  options: Record<string, unknown>;
  promptLimit: number;
  examplePrompt: string;
}

export function readForm(form: HTMLFormElement): FormValues {
  const data = new FormData(form);
  const text = (name: string) => {
    const value = data.get(name);
    return typeof value === 'string' ? value : '';
  };
  return {
    output: text('output') as OutputName,
    options: schemaOf(text('options_schema')),
    promptLimit: Number(text('prompt_limit')) || 0,
    examplePrompt: text('example_prompt'),
  };
}

function schemaOf(text: string): Record<string, unknown> {
  try {
    const schema: unknown = JSON.parse(text);
    const isSchema = typeof schema === 'object' && schema !== null && !Array.isArray(schema);
    const { properties } = (isSchema ? schema : {}) as { properties?: unknown };
    return typeof properties === 'object' && properties !== null ? (schema as Record<string, unknown>) : {};
  } catch {
    return {}; // it is being typed
  }
}

const MARK = 'data-preview-problem';

/** Shows problems where saving would show them, instead of those shown before. */
export function showProblems(form: HTMLFormElement, problems: FieldProblems): void {
  for (const shown of form.querySelectorAll(`[${MARK}]`)) shown.remove();
  for (const row of form.querySelectorAll('.preview-errors')) row.classList.remove('errors', 'preview-errors');
  for (const [name, sentences] of Object.entries(problems)) {
    const row = form.querySelector(`.form-row.field-${CSS.escape(name)}`);
    if (!row) continue;
    const list = document.createElement('ul');
    list.className = 'errorlist';
    list.setAttribute(MARK, '');
    for (const sentence of sentences) list.append(Object.assign(document.createElement('li'), { textContent: sentence }));
    row.prepend(list);
    if (!row.classList.contains('errors')) row.classList.add('errors', 'preview-errors');
  }
}

/** The name of a field as the form shows it. */
export function labelOf(form: HTMLFormElement, name: string): string {
  const words = form.querySelector(`label[for="id_${CSS.escape(name)}"]`)?.textContent ?? name;
  return words.trim().replace(/:$/u, '');
}

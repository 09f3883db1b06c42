/** A list of example prompts. */
import { writingOf } from './text/writing';
import type { Example } from './types';

export interface ExamplesProps {
  examples: readonly Example[];
  onChoose(example: Example): void;
}

export function Examples({ examples, onChoose }: ExamplesProps) {
  if (examples.length === 0) return null;
  return (
    <ul className="examples" aria-label="Examples">
      {examples.map((example) => (
        <li key={example.prompt} {...writingOf(example.prompt)}>
          <button type="button" className="button-link example" onClick={() => onChoose(example)}>
            {example.prompt}
          </button>
        </li>
      ))}
    </ul>
  );
}

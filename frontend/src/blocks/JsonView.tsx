/** Shows named fields for reading, without braces and quotes. */
import { withArriving } from './jsonPointer';
import { writingOf } from './text/writing';
import '../look/json.css';

export interface JsonViewProps {
  value: Readonly<Record<string, unknown>>;
  /** Strings being written, by JSON Pointer. */
  arriving: Readonly<Record<string, string>>;
}

export function JsonView({ value, arriving }: JsonViewProps) {
  return (
    <div className="fields">
      <Value value={withArriving(value, arriving)} path="" growing={Object.keys(arriving)} />
    </div>
  );
}

interface ValueProps {
  value: unknown;
  /** The JSON Pointer of the value. */
  path: string;
  growing: readonly string[];
}

function Value({ value, path, growing }: ValueProps) {
  if (Array.isArray(value)) {
    return (
      <ol className="fields-list" {...writingOf(value.filter((element) => typeof element === 'string').join(' '))}>
        {value.map((element: unknown, index) => (
          <li key={index}>
            <Value value={element} path={`${path}/${index}`} growing={growing} />
          </li>
        ))}
      </ol>
    );
  }
  if (typeof value === 'object' && value !== null) {
    return (
      <dl className="fields-members">
        {Object.entries(value).map(([name, member]) => (
          <div key={name} className="fields-member">
            <dt {...writingOf(name)}>{titleOf(name)}</dt>
            <dd>
              <Value value={member} path={`${path}/${escaped(name)}`} growing={growing} />
            </dd>
          </div>
        ))}
      </dl>
    );
  }
  const words = wordsOf(value);
  return (
    <p className="fields-value" {...writingOf(words)} data-caret={growing.includes(path) || undefined}>
      {words}
    </p>
  );
}

/** "reading_time" and "readingTime" → "Reading time". */
function titleOf(name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/gu, '$1 $2').replace(/[_-]+/gu, ' ').trim();
  if (words === '') return name;
  // Lower-cases the words of a camel-case name; acronyms such as "UN" stay.
  const rest = words.slice(1).replace(/ [A-Z](?=[a-z])/gu, (letter) => letter.toLowerCase());
  return words.charAt(0).toUpperCase() + rest;
}

function wordsOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 20 });
  return value === null || value === undefined ? '–' : String(value);
}

function escaped(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1');
}

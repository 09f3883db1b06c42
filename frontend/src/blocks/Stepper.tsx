/** A number field with a button on either side; the number can be typed as well. */
import { useState } from 'react';
import { type OptionField, numberWithin } from './options';

export interface StepperProps {
  field: OptionField;
  id: string;
  value: unknown;
  onValue(value: number): void;
  describedBy?: string;
}

export function Stepper({ field, id, value, onValue, describedBy }: StepperProps) {
  const held = typeof value === 'number' ? value : undefined;
  // Unfinished input ("", or "1" on the way to "12") is not a value yet.
  const [typed, setTyped] = useState<string>();
  const settle = () => {
    if (typed === undefined) return;
    const number = typed.trim() === '' ? NaN : Number(typed);
    if (Number.isFinite(number)) onValue(numberWithin(field, number));
    setTyped(undefined);
  };
  const move = (by: number) => {
    const from = held ?? field.minimum ?? 0;
    setTyped(undefined);
    onValue(held === undefined ? numberWithin(field, from) : numberWithin(field, rounded(from + by)));
  };
  return (
    <span className="stepper">
      <button
        type="button"
        className="stepper-button"
        aria-label={stepWords(field.title, -1)}
        disabled={held !== undefined && held <= (field.minimum ?? -Infinity)}
        onClick={() => move(-field.step)}
      >
        −
      </button>
      <input
        id={id}
        className="stepper-input"
        type="text"
        inputMode={field.isInteger ? 'numeric' : 'decimal'}
        role="spinbutton"
        aria-valuenow={held}
        aria-valuemin={field.minimum}
        aria-valuemax={field.maximum}
        aria-describedby={describedBy}
        autoComplete="off"
        value={typed ?? textOf(held)}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={settle}
        onKeyDown={(event) => {
          if (event.key === 'Enter') settle();
          if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
          event.preventDefault();
          move(event.key === 'ArrowUp' ? field.step : -field.step);
        }}
      />
      <button
        type="button"
        className="stepper-button"
        aria-label={stepWords(field.title, 1)}
        disabled={held !== undefined && held >= (field.maximum ?? Infinity)}
        onClick={() => move(field.step)}
      >
        +
      </button>
    </span>
  );
}

/** "Fewer questions" of what can be counted, "Decrease temperature" of anything else. */
function stepWords(title: string, by: -1 | 1): string {
  const isCount = /[a-z]s$/u.test(title);
  const verbs = isCount ? ['Fewer', 'More'] : ['Decrease', 'Increase'];
  const isName = /^\p{Lu}\P{Ll}/u.test(title);
  return `${verbs[by < 0 ? 0 : 1]} ${isName ? title : title.charAt(0).toLowerCase() + title.slice(1)}`;
}

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

/** Rounds away floating-point noise, as in 0.1 + 0.2. */
function rounded(value: number): number {
  return Number(value.toFixed(6));
}

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
        aria-label={`Less: ${field.title}`}
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
        aria-label={`More: ${field.title}`}
        disabled={held !== undefined && held >= (field.maximum ?? Infinity)}
        onClick={() => move(field.step)}
      >
        +
      </button>
    </span>
  );
}

function textOf(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

/** Rounds away floating-point noise, as in 0.1 + 0.2. */
function rounded(value: number): number {
  return Number(value.toFixed(6));
}

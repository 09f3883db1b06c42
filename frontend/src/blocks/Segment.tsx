/** A choice between a few visible options: native radio buttons with a plain look. */
import { type ReactNode, useId } from 'react';

export interface SegmentChoice {
  key: string;
  label: ReactNode;
}

export interface SegmentProps {
  /** What is chosen here. Screen readers announce it; it is visible if `isTitled`. */
  title: string;
  isTitled?: boolean;
  choices: readonly SegmentChoice[];
  chosen: string;
  onChoose(key: string): void;
  describedBy?: string;
}

export function Segment({ title, isTitled = false, choices, chosen, onChoose, describedBy }: SegmentProps) {
  const name = useId();
  return (
    <fieldset className="segment" aria-describedby={describedBy}>
      <legend className={isTitled ? 'option-title' : 'visually-hidden'}>{title}</legend>
      <div className="segment-choices">
        {choices.map(({ key, label }) => (
          <label key={key} className="segment-choice">
            <input
              type="radio"
              className="segment-radio"
              name={name}
              value={key}
              checked={key === chosen}
              onChange={() => onChoose(key)}
            />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

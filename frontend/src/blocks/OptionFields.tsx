/** The form fields for a block's options, built from its JSON Schema. */
import { useId } from 'react';
import { type OptionField, type OptionValues, fieldsOf } from './options';
import { Segment } from './Segment';
import { Stepper } from './Stepper';

/** Above either limit, the choices become a select. */
const SEGMENT_CHOICES = 5;
const SEGMENT_LETTERS = 44;

export interface OptionFieldsProps {
  schema: Record<string, unknown>;
  values: OptionValues;
  onValues(values: Record<string, unknown>): void;
  /** The option that the server rejected, and why. */
  problem?: { field: string; message: string };
}

export function OptionFields({ schema, values, onValues, problem }: OptionFieldsProps) {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return null;
  return (
    <div className="options">
      {fields.map((field) => (
        <Option
          key={field.name}
          field={field}
          value={values[field.name] ?? field.default}
          onValue={(value) => onValues({ ...values, [field.name]: value })}
          problem={problem?.field === field.name ? problem.message : undefined}
        />
      ))}
    </div>
  );
}

interface OptionProps {
  field: OptionField;
  value: unknown;
  onValue(value: unknown): void;
  problem: string | undefined;
}

function Option({ field, value, onValue, problem }: OptionProps) {
  const id = useId();
  const hasHint = field.description !== '' || problem !== undefined;
  const hintId = hasHint ? `${id}-hint` : undefined;
  return (
    <div className="option" data-kind={field.kind} title={field.description || undefined}>
      <Input field={field} value={value} onValue={onValue} id={id} hintId={hintId} />
      {hasHint && (
        <span id={hintId} className={problem === undefined ? 'visually-hidden' : 'option-problem'}>
          {problem ?? field.description}
        </span>
      )}
    </div>
  );
}

interface InputProps extends Omit<OptionProps, 'problem'> {
  id: string;
  hintId: string | undefined;
}

function Input({ field, value, onValue, id, hintId }: InputProps) {
  const title = (
    <label htmlFor={id} className="option-title">
      {field.title}
    </label>
  );
  switch (field.kind) {
    case 'choice':
      return <Choice field={field} value={value} onValue={onValue} id={id} hintId={hintId} title={title} />;
    case 'number':
      return (
        <>
          {title}
          <Stepper field={field} id={id} value={value} onValue={onValue} describedBy={hintId} />
        </>
      );
    case 'boolean':
      return (
        <label className="option-check">
          <input
            type="checkbox"
            checked={value === true}
            aria-describedby={hintId}
            onChange={(event) => onValue(event.target.checked)}
          />
          {field.title}
        </label>
      );
    default:
      return (
        <>
          {title}
          <input
            id={id}
            className="option-input"
            type="text"
            dir="auto"
            value={typeof value === 'string' ? value : ''}
            maxLength={field.maxLength}
            required={field.isRequired}
            aria-describedby={hintId}
            onChange={(event) => onValue(event.target.value)}
          />
        </>
      );
  }
}

function Choice({ field, value, onValue, id, hintId, title }: InputProps & { title: React.ReactNode }) {
  const labels = field.choices.map(String);
  const chosen = String(field.choices.findIndex((choice) => choice === value));
  const choose = (key: string) => onValue(field.choices[Number(key)]);
  if (labels.length <= SEGMENT_CHOICES && labels.join('').length <= SEGMENT_LETTERS) {
    const choices = labels.map((label, index) => ({ key: String(index), label }));
    return (
      <Segment
        title={field.title}
        isTitled
        choices={choices}
        chosen={chosen}
        onChoose={choose}
        describedBy={hintId}
      />
    );
  }
  return (
    <>
      {title}
      <select
        id={id}
        className="option-input"
        value={chosen}
        aria-describedby={hintId}
        onChange={(event) => choose(event.target.value)}
      >
        {chosen === '-1' && <option value="-1">Choose</option>}
        {labels.map((label, index) => (
          <option key={label} value={String(index)}>
            {label}
          </option>
        ))}
      </select>
    </>
  );
}

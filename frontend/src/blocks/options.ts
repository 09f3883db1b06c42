/** A block's options, derived from their JSON Schema. */

/** A form field for one option. */
export interface OptionField {
  name: string;
  title: string;
  description: string;
  kind: 'choice' | 'number' | 'boolean' | 'text';
  /** For a choice; usually strings. */
  choices: readonly unknown[];
  minimum: number | undefined;
  maximum: number | undefined;
  /** For a number: the increment of one press. */
  step: number;
  isInteger: boolean;
  maxLength: number | undefined;
  isRequired: boolean;
  default: unknown;
}

export type OptionValues = Readonly<Record<string, unknown>>;

/**
 * Returns the fields of a schema, in its order. Options with a single possible value are omitted.
 */
export function fieldsOf(schema: Record<string, unknown>): OptionField[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(recordOf(schema.properties))
    .map(([name, value]) => fieldOf(name, recordOf(value), required.includes(name)))
    .filter((field) => field.kind !== 'choice' || field.choices.length > 1);
}

/** Returns the initial options. Those without a default are absent. */
export function defaultsOf(schema: Record<string, unknown>): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(recordOf(schema.properties))) {
    const option = recordOf(value);
    if ('default' in option) defaults[name] = option.default;
    else if ('const' in option) defaults[name] = option.const;
  }
  return defaults;
}

/** Returns the options to send: known options with a value, over the defaults. */
export function optionsToSend(
  schema: Record<string, unknown>,
  values: OptionValues,
): Record<string, unknown> {
  const known = new Set(Object.keys(recordOf(schema.properties)));
  const set = Object.entries(values).filter(([name, value]) => known.has(name) && isSet(value));
  return { ...defaultsOf(schema), ...Object.fromEntries(set) };
}

/**
 * Returns the values that a schema knows and allows: those of another block, or of a schema that has
 * changed since, may be neither. Texts are kept as they are typed.
 */
export function fittingOptions(schema: Record<string, unknown>, values: OptionValues): OptionValues {
  const fitting = fieldsOf(schema).filter((field) => fits(field, values[field.name]));
  return Object.fromEntries(fitting.map(({ name }) => [name, values[name]]));
}

function fits(field: OptionField, value: unknown): boolean {
  switch (field.kind) {
    case 'choice':
      return field.choices.includes(value);
    case 'number':
      return typeof value === 'number' && numberWithin(field, value) === value;
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
  }
}

/** Returns the first required option that has no value. */
export function missingOption(
  fields: readonly OptionField[],
  values: OptionValues,
): OptionField | undefined {
  return fields.find(
    ({ name, kind, isRequired, default: byDefault }) =>
      isRequired && kind !== 'boolean' && !isSet(values[name] ?? byDefault),
  );
}

/** Clamps a number to the field's bounds, and rounds it if the field is an integer. */
export function numberWithin(field: OptionField, value: number): number {
  const whole = field.isInteger ? Math.round(value) : value;
  return Math.min(field.maximum ?? Infinity, Math.max(field.minimum ?? -Infinity, whole));
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function fieldOf(name: string, option: Record<string, unknown>, isRequired: boolean): OptionField {
  const isInteger = option.type === 'integer';
  const choices = Array.isArray(option.enum) ? option.enum : 'const' in option ? [option.const] : [];
  const step = numberOf(option.multipleOf) ?? (isInteger ? 1 : undefined);
  return {
    name,
    title: stringOf(option.title) || words(name),
    description: stringOf(option.description),
    kind: choices.length > 0 ? 'choice' : kindOf(option.type),
    choices,
    minimum: numberOf(option.minimum) ?? moved(option.exclusiveMinimum, isInteger ? 1 : 0),
    maximum: numberOf(option.maximum) ?? moved(option.exclusiveMaximum, isInteger ? -1 : 0),
    step: step ?? 0.1,
    isInteger,
    maxLength: numberOf(option.maxLength),
    isRequired,
    default: option.default,
  };
}

function kindOf(type: unknown): OptionField['kind'] {
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'boolean' ? 'boolean' : 'text';
}

/** "reading_level" → "Reading level". */
function words(name: string): string {
  const text = name.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function moved(bound: unknown, by: number): number | undefined {
  const number = numberOf(bound);
  return number === undefined ? undefined : number + by;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

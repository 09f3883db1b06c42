/**
 * Checks whether a decoded JSON value has a shape. A library for this would be larger than the
 * client.
 */

export type Check<T> = (value: unknown) => value is T;
type Shape = Record<string, Check<unknown> | Optional<unknown>>;
export interface Optional<T> {
  readonly optional: Check<T>;
}

/** The TypeScript type that a shape describes. */
export type Shaped<S extends Shape> = {
  [K in keyof S as S[K] extends Optional<unknown> ? never : K]: S[K] extends Check<infer T>
    ? T
    : never;
} & {
  [K in keyof S as S[K] extends Optional<unknown> ? K : never]?: S[K] extends Optional<infer T>
    ? T
    : never;
};

export const isString: Check<string> = (value) => typeof value === 'string';
export const isInt: Check<number> = (value): value is number => Number.isInteger(value);
export const isBoolean: Check<boolean> = (value) => typeof value === 'boolean';
export const isAnything: Check<unknown> = (value): value is unknown => value !== undefined;

export const oneOf =
  <const T extends string>(...words: T[]): Check<T> =>
  (value): value is T =>
    (words as unknown[]).includes(value);

export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value): value is T | null =>
    value === null || check(value);

export const optional = <T>(check: Check<T>): Optional<T> => ({ optional: check });

export const listOf =
  <T>(check: Check<T>): Check<T[]> =>
  (value): value is T[] =>
    Array.isArray(value) && value.every(check);

export const recordOf =
  <T>(check: Check<T>): Check<Record<string, T>> =>
  (value): value is Record<string, T> =>
    isObject(value) && Object.values(value).every(check);

/** Accepts an object with at least these members. */
export const shaped =
  <const S extends Shape>(shape: S): Check<Shaped<S>> =>
  (value): value is Shaped<S> =>
    isObject(value) &&
    Object.entries(shape).every(([name, check]) =>
      typeof check === 'function'
        ? check(value[name])
        : value[name] === undefined || check.optional(value[name]),
    );

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

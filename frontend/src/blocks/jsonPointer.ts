/**
 * Returns a copy of a value with strings inserted at their JSON Pointers; missing parents are
 * created.
 * Used to show an answer together with the strings still being written.
 */
export function withArriving(value: unknown, arriving: Readonly<Record<string, string>>): unknown {
  return Object.entries(arriving).reduce(
    (whole, [pointer, text]) => put(whole, segmentsOf(pointer), text),
    value,
  );
}

function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function put(value: unknown, [segment, ...rest]: string[], text: string): unknown {
  if (segment === undefined) return text;
  if (Array.isArray(value) || (!isRecord(value) && /^\d+$/u.test(segment))) {
    const list: unknown[] = Array.isArray(value) ? [...value] : [];
    // A far larger index would create a sparse list.
    const index = Math.min(Number(segment) || 0, list.length);
    list[index] = put(list[index], rest, text);
    return list;
  }
  const members = new Map(isRecord(value) ? Object.entries(value) : []);
  members.set(segment, put(members.get(segment), rest, text));
  // `fromEntries` defines members, so "__proto__" is an ordinary name.
  return Object.fromEntries(members);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads what Django wrote into the `data-` attributes of a block's place. */
import type { StreamInput } from '@liveai/client';

export interface Place {
  slug: string;
  ask?: StreamInput;
  prompt?: string;
}

/** Options that are no JSON object are left out: the server then says what it thinks of the rest. */
export function readPlace(data: Readonly<Record<string, string | undefined>>): Place {
  const slug = data['aiBlock'] ?? '';
  const prompt = data['prompt'] ?? '';
  if (prompt === '' || data['asks'] !== 'true') return { slug, prompt };
  return { slug, ask: { prompt, options: objectOf(data['options']) } };
}

function objectOf(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

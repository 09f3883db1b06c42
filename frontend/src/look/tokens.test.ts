// @vitest-environment node
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

/** The declarations of the only rule with this selector. */
function declarations(selector: string): Record<string, string> {
  const from = css.indexOf(`${selector} {`);
  const rule = css.slice(css.indexOf('{', from) + 1, css.indexOf('}', from));
  return Object.fromEntries([...rule.matchAll(/([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value]));
}

/** The WCAG contrast ratio of two colours, 1 to 21. */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

const light = declarations(':root');
const dark = declarations(":root[data-theme='dark']");

describe('the colours', () => {
  it('are the same in the chosen dark theme and in the system’s', () => {
    expect(Object.keys(dark)).toHaveLength(12);
    expect(declarations(":root:not([data-theme='light'])")).toEqual(dark);
  });

  it.each([
    ['light', light],
    ['dark', dark],
  ])('have enough contrast in the %s theme', (_, theme) => {
    for (const ground of ['--paper', '--raised']) {
      for (const text of ['--ink', '--soft', '--live', '--good', '--bad']) {
        expect(contrast(theme[text]!, theme[ground]!), `${text} on ${ground}`).toBeGreaterThanOrEqual(5);
      }
      expect(contrast(theme['--live-dot']!, theme[ground]!)).toBeGreaterThanOrEqual(3.9);
      expect(contrast(theme['--focus']!, theme[ground]!)).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(theme['--ink']!, theme['--wash']!)).toBeGreaterThanOrEqual(5);
    expect(contrast(theme['--soft']!, theme['--wash']!)).toBeGreaterThanOrEqual(4.5);
  });
});

// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import * as door from './index';
import * as hooks from './react';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const SOURCES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name),
);
const importsOf = (name: string) =>
  [...readFileSync(FOLDER + name, 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    ([, path = '']) => path,
  );

describe('the door', () => {
  it('exports these values and nothing else', () => {
    expect(Object.keys(door).toSorted()).toEqual([
      'Api',
      'ApiError',
      'StreamClient',
      'diagramData',
      'diagramSource',
      'escapeLabel',
      'jsonData',
      'newRequestId',
      'quizData',
      'sitePath',
    ]);
    expect(Object.keys(hooks).toSorted()).toEqual(['defaultClient', 'useAIBlockStreaming', 'useAIStreaming']);
  });

  it('exports these types, and every type of events and types', () => {
    const text = readFileSync(`${FOLDER}index.ts`, 'utf8');
    const named = [...text.matchAll(/export type \{([^}]*)\}/g)].flatMap(([, names = '']) =>
      names.split(',').flatMap((name) => name.trim() || []),
    );
    expect(named.toSorted()).toEqual([
      'BlockInfo',
      'Config',
      'DiagramData',
      'DiagramEdge',
      'DiagramNode',
      'HistoryFilter',
      'HistoryPage',
      'JsonData',
      'OutputName',
      'QuizData',
      'QuizQuestion',
      'StreamMetrics',
      'StreamResource',
      'StreamState',
      'StreamSummary',
      'Thinking',
    ]);
    const whole = [...text.matchAll(/export type \* from '([^']+)'/g)].map(([, path]) => path);
    expect(whole).toEqual(['./core/events', './types']);
  });

  it('imports React in the hooks only', () => {
    const withReact = SOURCES.filter((name) => importsOf(name).some((path) => path.startsWith('react')));
    expect(withReact).toEqual(['streamHooks.ts']);
  });

  it('needs nothing else of the front end, and two packages', () => {
    const product = SOURCES.filter((name) => !name.startsWith('testing/'));
    expect(product.length).toBeGreaterThan(15);
    const outside = product.flatMap((name) =>
      importsOf(name).filter((path) => path.startsWith('.') && join(dirname(name), path).startsWith('..')),
    );
    expect(outside).toEqual([]);
    const paths = product.flatMap(importsOf);
    expect([...new Set(paths.filter((path) => !path.startsWith('.')))].toSorted()).toEqual([
      'eventsource-parser',
      'react',
    ]);
    expect(paths.some((path) => path.includes('testing'))).toBe(false);
  });
});

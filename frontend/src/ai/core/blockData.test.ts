// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { diagramData, jsonData, quizData } from './blockData';
import type { StreamState } from './state';
import { completionOf, EMPTY, reduce } from './state';
import { eventFromText } from './events';
import { RUNS } from '../testing/fixtures';

const question = (words: string) => ({
  question: words,
  options: ['a', 'b', 'c', 'd'],
  answer: 0,
  explanation: 'So.',
});

/** The client's data in the server's spelling. */
function dataOf(state: StreamState, result: Record<string, unknown>): unknown {
  if ('questions' in result) {
    const { title, questions } = quizData(state);
    return { title, questions };
  }
  if (!('nodes' in result)) return jsonData(state).value;
  const { title, nodes, edges, source } = diagramData(state);
  return { title, nodes, edges, source };
}

describe('quizData', () => {
  it('is empty without parts', () => {
    expect(quizData({ items: [], arriving: {} })).toEqual({
      title: '',
      questions: [],
      arriving: undefined,
      arrivingTitle: '',
    });
  });

  it('shows the title and the question being written', () => {
    expect(quizData({ items: [], arriving: { '/title': 'The s' } }).arrivingTitle).toBe('The s');
    const data = quizData({
      items: [{ path: '/title', value: 'The sea' }],
      arriving: { '/questions/1/question': 'How de' },
    });
    expect([data.title, data.arriving]).toEqual(['The sea', { index: 1, question: 'How de' }]);
  });

  it('orders questions by number, including two-digit numbers', () => {
    const items = [10, 2, 0].map((n) => ({ path: `/questions/${n}`, value: question(`${n}?`) }));
    const { questions } = quizData({ items, arriving: {} });
    expect(questions.map((each) => each.question)).toEqual(['0?', '2?', '10?']);
  });
});

describe('diagramData', () => {
  it('has a valid source at any time', () => {
    const empty = diagramData({ items: [], arriving: { '/title': 'Wat' } });
    expect(empty).toMatchObject({ title: 'Wat', nodes: [], edges: [], arriving: '' });
    expect(empty.source).toContain('flowchart');
    const data = diagramData({
      items: [
        { path: '/nodes/0', value: { id: 'a', label: 'Sea' } },
        { path: '/nodes/1', value: { id: 'b', label: 'Cloud' } },
        { path: '/edges/0', value: { from: 'a', to: 'b' } },
      ],
      arriving: { '/nodes/2/label': 'Ra' },
    });
    expect([data.nodes.length, data.edges.length, data.arriving]).toEqual([2, 1, 'Ra']);
    expect(data.source).toContain('Cloud');
  });
});

describe('jsonData', () => {
  it('combines members and list elements', () => {
    const items = [
      { path: '/name', value: 'Sky' },
      { path: '/tags/1', value: 'blue' },
      { path: '/tags/0', value: 'high' },
      { path: '/a~1b~0c', value: 1 },
    ];
    const arriving = { '/summary': 'It is' };
    expect(jsonData({ items, arriving })).toEqual({
      value: { name: 'Sky', tags: ['high', 'blue'], 'a/b~c': 1 },
      arriving,
    });
  });

  it('never mutates the parts it is given', () => {
    const tags: string[] = [];
    jsonData({ items: [{ path: '/tags', value: tags }, { path: '/tags/0', value: 'x' }], arriving: {} });
    expect(tags).toEqual([]);
  });

  it('accepts member names that objects already have', () => {
    const value = { isAdmin: true };
    const data = jsonData({ items: [{ path: '/__proto__', value }], arriving: {} });
    expect((data.value as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(Object.keys(data.value)).toEqual(['__proto__']);
  });
});

describe('the golden runs', () => {
  const whole = RUNS.map((run) => {
    const events = run.websocket.map((text) => eventFromText(text));
    const state = events.reduce((sum, event) => (event ? reduce(sum, event)[0] : sum), EMPTY);
    return { name: run.name, state, result: completionOf(state)?.result };
  }).filter(({ result }) => result !== undefined);

  it.each(whole)('add up to the server’s result: $name', ({ state, result = {} }) => {
    expect(dataOf(state, result)).toEqual(result);
  });

  it('cover every kind', () => {
    const keys = whole.map(({ result = {} }) => Object.keys(result).join());
    expect(new Set(keys).size).toBeGreaterThanOrEqual(3);
  });
});

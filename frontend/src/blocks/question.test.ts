import { beforeEach, expect, test, vi } from 'vitest';

import { HOME, readDraft, writeDraft } from './draft';
import { forgetQuestion, forgetSent, keepQuestion } from './question';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});

const draft = (prompt: string) => ({ prompt, options: {} });
const promptOf = (key: string) => readDraft(key).prompt;
const idOf = (slug: string, prompt: string, members = {}) => keepQuestion(slug, { prompt, ...members }).requestId;

/** Runs something as another tab of the same browser. */
function inAnotherTab(run: () => void): void {
  const ours = Object.entries(sessionStorage);
  sessionStorage.clear();
  run();
  sessionStorage.clear();
  for (const [name, value] of ours) sessionStorage.setItem(name, value as string);
}

test('the same question has the same request id until a stream has taken it', () => {
  const first = idOf('quiz', 'Rivers', { options: { questions: 3 } });
  expect(idOf('quiz', 'Rivers', { options: { questions: 3 } })).toBe(first);
  forgetQuestion('quiz', 'Rivers');
  expect(idOf('quiz', 'Rivers', { options: { questions: 3 } })).not.toBe(first);
});

test.each([
  ['prompt', 'quiz', 'Lakes', {}],
  ['block', 'diagram', 'Rivers', {}],
  ['options', 'quiz', 'Rivers', { options: { questions: 3 } }],
  ['earlier answer', 'quiz', 'Rivers', { continues: 'x' }],
])('another %s makes another question', (_, slug, prompt, members) => {
  expect(idOf('quiz', 'Rivers')).not.toBe(idOf(slug, prompt, members));
});

test('a question that was stopped, or that another tab asks, is another one', () => {
  const first = idOf('quiz', 'Rivers');
  inAnotherTab(() => expect(idOf('quiz', 'Rivers')).not.toBe(first));
  expect(idOf('quiz', 'Rivers')).toBe(first);
  forgetSent('quiz');
  expect(idOf('quiz', 'Rivers')).not.toBe(first);
});

test('what is typed in a tab is not replaced by what another one types, or asks', () => {
  writeDraft(HOME, draft('Ours'));
  inAnotherTab(() => {
    expect(promptOf(HOME)).toBe('Ours'); // a new tab begins with it
    writeDraft(HOME, draft('Theirs'));
  });
  expect(promptOf(HOME)).toBe('Ours');
  forgetQuestion('quiz', 'Ours');
  expect(promptOf(HOME)).toBe('');
  inAnotherTab(() => expect(promptOf(HOME)).toBe('Theirs'));
});

test('home and a block whose slug is “home” have their own drafts', () => {
  writeDraft(HOME, draft('On home'));
  writeDraft('home', draft('In the block'));
  expect(promptOf(HOME)).toBe('On home');
});

test('where nothing can be stored, a question gets an id, and a draft lasts as long as the page', () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  expect(idOf('unstored', 'Rivers')).toMatch(/^[\da-f-]{36}$/u);
  expect(promptOf('unstored')).toBe('Rivers');
  forgetQuestion('unstored', 'Rivers');
  expect(promptOf('unstored')).toBe('');
});

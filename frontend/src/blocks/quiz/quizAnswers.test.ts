import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  NO_ANSWERS,
  answersKey,
  chosenOption,
  forgetAnswers,
  loadAnswers,
  saveAnswers,
  score,
  scoreOf,
  scoreWords,
} from './quizAnswers';

const question = (words: string, answer = 0) => ({
  question: words,
  options: ['a', 'b', 'c', 'd'],
  answer,
  explanation: '',
});

beforeEach(() => localStorage.clear());

describe('stored answers', () => {
  it('are the same after a reload', () => {
    const answers = new Map([
      ['One?', 'b'],
      ['__proto__', 'c'],
    ]);
    saveAnswers('s1', answers, { right: 1, answered: 2, total: 3 });
    expect(loadAnswers('s1')).toEqual(answers);
    expect(score('s1')).toEqual({ right: 1, answered: 2, total: 3 });
  });

  it("belong to one stream, and do not affect those of another", () => {
    saveAnswers('s1', new Map([['One?', 'b']]), { right: 0, answered: 1, total: 1 });
    expect(loadAnswers('s2')).toBe(NO_ANSWERS);
    expect(score('s2')).toBeUndefined();
    forgetAnswers('s2');
    expect(score('s1')).toBeDefined();
  });

  it('leave nothing behind when they are cleared', () => {
    saveAnswers('s1', new Map([['One?', 'b']]), { right: 0, answered: 1, total: 1 });
    saveAnswers('s1', NO_ANSWERS, { right: 0, answered: 0, total: 1 });
    expect(localStorage).toHaveLength(0);
  });

  it('are not overwritten by a page that has fewer of the questions', () => {
    const answers = new Map([['One?', 'b']]);
    saveAnswers('s1', answers, { right: 1, answered: 1, total: 3 });
    saveAnswers('s1', answers, { right: 1, answered: 1, total: 1 });
    expect(score('s1')?.total).toBe(3);
    saveAnswers('s1', new Map([['Two?', 'a']]), { right: 0, answered: 1, total: 2 });
    expect(score('s1')).toEqual({ right: 0, answered: 1, total: 2 });
  });

  it.each(['{', '7', 'null', '[]', '{"answers":[["a"]],"right":0,"answered":1,"total":1}', '{"answers":[]}'])(
    'are none where something else was put in their place: %s',
    (text) => {
      localStorage.setItem(answersKey('s1'), text);
      expect(loadAnswers('s1').size).toBe(0);
      expect(score('s1')).toBeUndefined();
    },
  );

  it('are not stored if storage is blocked', () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    saveAnswers('s1', new Map([['One?', 'b']]), { right: 0, answered: 1, total: 1 });
    expect(score('s1')).toBeUndefined();
  });
});

describe('the score', () => {
  it('counts the right answers among those given', () => {
    const questions = [question('One?', 1), question('Two?'), question('Three?')];
    const answers = new Map([
      ['One?', 'b'],
      ['Two?', 'd'],
    ]);
    expect(scoreOf(answers, questions)).toEqual({ right: 1, answered: 2, total: 3 });
  });

  it('does not attribute an old answer to a question with other options', () => {
    expect(chosenOption(new Map([['One?', 'z']]), question('One?'))).toBeUndefined();
  });

  it('says "so far" until all is answered, and while more may arrive', () => {
    expect(scoreWords({ right: 0, answered: 0, total: 2 })).toBe('');
    expect(scoreWords({ right: 1, answered: 2, total: 3 })).toBe('1 of 2 right so far');
    expect(scoreWords({ right: 2, answered: 3, total: 3 })).toBe('2 of 3 right');
    expect(scoreWords({ right: 2, answered: 2, total: 2 }, true)).toBe('2 of 2 right so far');
  });
});

import { cleanup, render, screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { useMemo } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QuizData } from '@liveai/client';
import { AnnounceContext } from '../announce';
import { Quiz } from './Quiz';
import { QuizScore } from './QuizScore';
import { score } from './quizAnswers';
import { useQuizAnswers } from './useQuizAnswers';

const FIRST = {
  question: 'Which planet has the shortest day?',
  options: ['Mercury', 'Jupiter', 'Mars', 'Neptune'],
  answer: 1,
  explanation: 'It turns once in ten hours.',
};
const SECOND = {
  question: 'Which planet is the hottest?',
  options: ['Mercury', 'Venus', 'Mars', 'Saturn'],
  answer: 1,
  explanation: 'Its air keeps the heat.',
};
const EMPTY: QuizData = { title: '', questions: [], arriving: undefined, arrivingTitle: '' };
const WHOLE: QuizData = { ...EMPTY, title: 'The planets', questions: [FIRST, SECOND] };

const said: string[] = [];

function Both({ data, isLive = false, streamId = 's1' }: { data: QuizData; isLive?: boolean; streamId?: string }) {
  const parts = useMemo(() => [{ streamId, questions: data.questions }], [streamId, data]);
  const state = useQuizAnswers(parts);
  return (
    <AnnounceContext value={(words) => said.push(words)}>
      <ul data-testid="facts">
        <QuizScore data={data} answers={state.answers} isLive={isLive} />
      </ul>
      <Quiz data={data} state={state} isLive={isLive} />
    </AnnounceContext>
  );
}

const group = (name: RegExp) => within(screen.getByRole('group', { name }));
const facts = () => screen.getByTestId('facts').textContent;

beforeEach(() => {
  localStorage.clear();
  said.length = 0;
});
afterEach(cleanup);

describe('a quiz that is being written', () => {
  it('shows the title and the question as far as they are written', () => {
    const page = render(<Both isLive data={{ ...EMPTY, arrivingTitle: 'The pla' }} />);
    expect(screen.getByRole('heading', { name: 'The pla' })).toBeTruthy();
    page.rerender(
      <Both isLive data={{ ...EMPTY, title: 'The planets', arriving: { index: 0, question: 'Which planet has' } }} />,
    );
    expect(screen.getByRole('heading', { name: 'The planets' })).toBeTruthy();
    expect(screen.getByRole('group', { name: /Question 1 – writing…\s*Which planet has/ })).toBeTruthy();
    expect(screen.queryAllByRole('radio')).toEqual([]);
  });

  it('lets the first question be answered while the second is written, and mounts nothing again', async () => {
    const user = userEvent.setup();
    const arriving = { index: 1, question: 'Which' };
    const page = render(<Both isLive data={{ ...EMPTY, arriving: { index: 0, question: 'Which planet' } }} />);
    const written = screen.getByRole('group');
    page.rerender(<Both isLive data={{ ...EMPTY, questions: [FIRST], arriving }} />);
    const [answered, open] = screen.getAllByRole('group');
    expect(answered).toBe(written);
    const jupiter = group(/shortest day/).getByRole('radio', { name: /Jupiter/ });
    await user.click(jupiter);
    expect(facts()).toBe('1 of 1 right so far');

    page.rerender(<Both isLive data={{ ...EMPTY, questions: [FIRST], arriving: { index: 1, question: 'Which planet is' } }} />);
    page.rerender(<Both data={WHOLE} />);
    expect(group(/shortest day/).getByRole('radio', { name: /Jupiter/ })).toBe(jupiter);
    expect(document.activeElement).toBe(jupiter);
    expect(screen.getAllByRole('group')[1]).toBe(open);
    expect(facts()).toBe('1 of 1 right so far');
  });

  it('gets no heading above a question that can be answered', () => {
    const page = render(<Both isLive data={{ ...EMPTY, questions: [FIRST] }} />);
    page.rerender(<Both isLive data={{ ...EMPTY, questions: [FIRST, SECOND], arrivingTitle: 'The pla' }} />);
    page.rerender(<Both data={WHOLE} />);
    expect(screen.queryByRole('heading')).toBeNull();
    page.unmount();
    render(<Both data={WHOLE} />);
    expect(screen.getByRole('heading', { name: 'The planets' })).toBeTruthy();
  });

  it('has a pip for each question and one for the question being written', () => {
    render(<Both isLive data={{ ...EMPTY, questions: [FIRST], arriving: { index: 1, question: 'W' } }} />);
    const states = [...document.querySelectorAll<HTMLElement>('.quiz-pips i')].map((pip) => pip.dataset.state);
    expect(states).toEqual(['open', 'arriving']);
  });

  it('keeps its complete questions answerable after a stop', async () => {
    const user = userEvent.setup();
    render(<Both data={{ ...EMPTY, questions: [FIRST], arriving: undefined }} />);
    await user.click(screen.getByRole('radio', { name: /Mars/ }));
    expect(screen.getByText('0 of 1 right', { selector: 'strong' })).toBeTruthy();
  });
});

describe('answering', () => {
  it('says whether the answer is right, in words, and why', async () => {
    const user = userEvent.setup();
    render(<Both data={WHOLE} />);
    await user.click(group(/shortest day/).getByText('Jupiter'));
    const first = group(/shortest day/);
    expect(first.getByRole('radio', { name: 'Jupiter Right' })).toHaveProperty('checked', true);
    expect(first.getByText(FIRST.explanation)).toBeTruthy();
    expect(said).toEqual([`Right. ${FIRST.explanation}`]);
    expect(screen.queryByText(SECOND.explanation)).toBeNull();
  });

  it('marks a wrong answer and the right one', async () => {
    const user = userEvent.setup();
    render(<Both data={WHOLE} />);
    await user.click(group(/hottest/).getByText('Saturn'));
    expect(group(/hottest/).getByRole('radio', { name: 'Saturn Your answer – wrong' })).toBeTruthy();
    expect(group(/hottest/).getByRole('radio', { name: 'Venus Correct answer' })).toHaveProperty('checked', false);
    expect(said).toEqual([`Wrong. The correct answer is Venus. ${SECOND.explanation}`]);
  });

  it('can be undone until another question is answered, and the focus stays at the choice', async () => {
    const user = userEvent.setup();
    render(<Both data={WHOLE} />);
    await user.click(group(/shortest/).getByText('Mars'));
    await user.click(group(/shortest/).getByRole('button', { name: 'Undo' }));
    expect(document.activeElement).toBe(group(/shortest/).getByRole('radio', { name: 'Mars' }));
    expect([facts(), score('s1'), said.at(-1)]).toEqual(['2 questions', undefined, 'Answer undone.']);

    await user.click(group(/shortest/).getByText('Jupiter'));
    await user.click(group(/hottest/).getByText('Saturn'));
    expect(group(/hottest/).getByRole('button', { name: 'Undo' })).toBeTruthy();
    expect(document.querySelector('[data-over]')?.textContent).toContain('Undo');
    expect(score('s1')).toEqual({ right: 1, answered: 2, total: 2 });
  });

  it('stays as it is at a second tap', async () => {
    const user = userEvent.setup();
    render(<Both data={WHOLE} />);
    await user.click(group(/hottest/).getByText('Saturn'));
    await user.click(group(/hottest/).getByText('Venus'));
    expect(group(/hottest/).getByRole('radio', { name: /Saturn/ })).toHaveProperty('checked', true);
    expect(said).toHaveLength(1);
  });

  it('works by keyboard alone: arrows move without choosing, the space bar and Enter choose', async () => {
    const user = userEvent.setup();
    render(<Both data={WHOLE} />);
    await user.tab();
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowUp}{ArrowUp}{ArrowUp}');
    expect(document.activeElement).toBe(group(/shortest day/).getByRole('radio', { name: 'Neptune' }));
    expect(facts()).toBe('2 questions');
    await user.keyboard('{ArrowRight}{ArrowRight}[Space]');
    expect(facts()).toBe('1 of 1 right so far');
    await user.keyboard('{ArrowDown}{Enter}');
    expect(facts()).toBe('1 of 1 right so far');
    await user.tab(); // Undo
    await user.tab();
    await user.keyboard('{Enter}');
    expect(facts()).toBe('1 of 2 right');
  });

  it('can start again with the same questions, and the first one receives the focus', async () => {
    const user = userEvent.setup();
    render(<Both data={WHOLE} />);
    await user.click(group(/shortest day/).getByText('Mars'));
    await user.click(group(/hottest/).getByText('Venus'));
    expect(screen.getByText('1 of 2 right', { selector: 'strong' })).toBeTruthy();
    await user.click(screen.getByRole('button', { name: 'Start over' }));
    expect(screen.getAllByRole('group')).toHaveLength(2);
    expect(screen.queryByText(FIRST.explanation)).toBeNull();
    expect(document.activeElement).toBe(group(/shortest day/).getByRole('radio', { name: 'Mercury' }));
    expect(score('s1')).toBeUndefined();
  });
});

describe('a quiz of two streams', () => {
  it('keeps the answers with the stream of their question, and counts all', async () => {
    const user = userEvent.setup();
    const parts = [
      { streamId: 'a', questions: [FIRST] },
      { streamId: 'b', questions: [SECOND] },
    ];
    function Joined({ count }: { count: number }) {
      const shown = useMemo(() => parts.slice(0, count), [count]);
      const data = { ...WHOLE, questions: shown.flatMap(({ questions }) => questions) };
      const state = useQuizAnswers(shown);
      return <Quiz data={data} state={state} isLive={false} />;
    }
    const page = render(<Joined count={1} />);
    await user.click(group(/shortest/).getByText('Jupiter'));
    page.rerender(<Joined count={2} />);
    await user.click(group(/hottest/).getByText('Saturn'));
    expect(screen.getByText('1 of 2 right')).toBeTruthy();
    expect([score('a'), score('b')]).toEqual([
      { right: 1, answered: 1, total: 1 },
      { right: 0, answered: 1, total: 1 },
    ]);
    page.unmount();
    render(<Joined count={2} />);
    expect(screen.getByText('1 of 2 right')).toBeTruthy();
  });
});

describe('what was answered', () => {
  it('is there after a reload, even while the questions arrive again one by one', async () => {
    const user = userEvent.setup();
    const page = render(<Both data={WHOLE} />);
    await user.click(group(/shortest day/).getByText('Jupiter'));
    await user.click(group(/hottest/).getByText('Saturn'));
    page.unmount();
    expect(score('s1')).toEqual({ right: 1, answered: 2, total: 2 });

    const again = render(<Both isLive data={{ ...EMPTY, questions: [FIRST] }} />);
    expect(facts()).toBe('1 of 1 right so far');
    expect(score('s1')?.total).toBe(2);
    again.rerender(<Both data={WHOLE} />);
    expect(facts()).toBe('1 of 2 right');
  });

  it("belongs to its own stream", async () => {
    const user = userEvent.setup();
    const page = render(<Both data={WHOLE} />);
    await user.click(group(/hottest/).getByText('Venus'));
    page.rerender(<Both data={WHOLE} streamId="s2" />);
    expect(facts()).toBe('2 questions');
    page.rerender(<Both data={WHOLE} />);
    expect(facts()).toBe('1 of 1 right so far');
  });
});

describe('code, bold and formulas', () => {
  const MATHS = {
    question: 'What does `abs(x)` return **if** $x^2 = 4$?',
    options: ['`2`', '\\(\\frac{1}{2}\\)', '$5 or $6', 'Nothing'],
    answer: 0,
    explanation: 'Because $2^2 = 4$ and `abs(-2)` is **2**.',
  };

  it('are shown in questions, options and explanations, and named and announced in words', async () => {
    render(<Both data={{ ...EMPTY, title: 'On $x$', questions: [MATHS] }} />);
    await waitFor(() => expect(document.querySelector('.quiz-options .formula')).toBeTruthy());
    const legend = document.querySelector('legend');
    expect(legend?.querySelector('code')?.textContent).toBe('abs(x)');
    expect(legend?.querySelector('strong')?.textContent).toBe('if');
    expect(legend?.querySelector('annotation')?.textContent).toContain('x^2 = 4');
    expect(document.querySelector('h2 annotation')?.textContent).toBe('$x$');
    expect(screen.getAllByRole('radio').map((radio) => radio.getAttribute('aria-label'))).toEqual(['2', '\\frac{1}{2}', null, null]);

    await userEvent.setup().click(screen.getByRole('radio', { name: '\\frac{1}{2}' }));
    expect(said.at(-1)).toBe('Wrong. The correct answer is 2. Because 2^2 = 4 and abs(-2) is 2.');
    expect(document.querySelector('.quiz-why code')?.textContent).toBe('abs(-2)');
    expect(screen.getByRole('radio', { name: '2 Correct answer' })).toBeTruthy();
  });

  it('are shown while the question is written', async () => {
    render(<Both isLive data={{ ...EMPTY, arriving: { index: 0, question: 'What does **this' } }} />);
    await waitFor(() => expect(document.querySelector('legend strong')?.textContent).toBe('this'));
  });
});

describe('a quiz in another script', () => {
  const HEBREW = { question: 'מהי בירת צרפת?', options: ['פריז', 'London', '42', 'רומא'], answer: 0, explanation: 'Paris, of course.' };

  it('has its direction and language; foreign options have their own', async () => {
    render(<Both data={{ ...EMPTY, title: 'ערי בירה', questions: [HEBREW, FIRST] }} />);
    const [hebrew, english] = screen.getAllByRole('group');
    expect([hebrew?.dir, hebrew?.lang, english?.dir, english?.lang]).toEqual(['rtl', 'he', 'ltr', '']);
    expect(screen.getByRole('heading').dir).toBe('rtl');
    expect([...document.querySelectorAll<HTMLElement>('.quiz-words')].slice(0, 4).map(({ dir }) => dir)).toEqual(['rtl', 'ltr', '', 'rtl']);
    // Our own words are English.
    expect(hebrew?.querySelector('small')?.lang).toBe('en');
    await userEvent.setup().click(screen.getByRole('radio', { name: 'London' }));
    expect(document.querySelector<HTMLElement>('.quiz-why')?.dir).toBe('ltr');
  });

  it('has the direction of its question, even if its options are long and foreign', () => {
    const options = ['A tool for style and layout', 'A library for user interfaces', 'A server for data', 'A database of the web'];
    render(<Both data={{ ...EMPTY, questions: [{ ...HEBREW, question: 'מה זה React?', options, explanation: '' }] }} />);
    expect(screen.getByRole('group').dir).toBe('rtl');
  });
});

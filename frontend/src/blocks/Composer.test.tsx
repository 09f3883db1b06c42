import { cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Composer, type ComposerProps } from './Composer';
import { useDraft } from './draft';
import { aBlock } from './shellFixtures';

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const QUIZ = aBlock({
  slug: 'quiz',
  title: 'Quiz',
  output: 'quiz',
  options: {
    type: 'object',
    properties: {
      questions: { type: 'integer', title: 'Questions', description: 'How many.', minimum: 1, maximum: 4, default: 3 },
      difficulty: { type: 'string', title: 'Difficulty', enum: ['easy', 'medium', 'hard'], default: 'medium' },
      explain: { type: 'boolean' },
      tone_of_voice: { type: 'string' },
      language: { type: 'string', enum: ['English', 'French', 'German', 'Italian', 'Spanish', 'Dutch'] },
    },
  },
});

function Asking({ blocks = [QUIZ], ...props }: Partial<ComposerProps>) {
  const [kind, setKind] = useState(blocks[0]?.slug ?? '');
  const draft = useDraft(kind);
  return (
    <Composer
      blocks={blocks}
      kind={kind}
      onKind={setKind}
      value={draft.prompt}
      onValue={draft.setPrompt}
      options={draft.options}
      onOptions={draft.setOptions}
      onAsk={() => undefined}
      {...props}
    />
  );
}

const field = (name = 'Quiz') => screen.getByRole<HTMLTextAreaElement>('textbox', { name });
const ask = () => userEvent.click(screen.getByRole('button', { name: /^(Ask|Make quiz)$/u }));

describe('options', () => {
  test('a schema becomes stepper, radios, box, field and select, each with a name', () => {
    render(<Asking />);
    expect(screen.getByRole('spinbutton', { name: 'Questions' }).getAttribute('aria-valuenow')).toBe('3');
    const difficulty = screen.getByRole('group', { name: 'Difficulty' });
    expect(within(difficulty).getAllByRole('radio')).toHaveLength(3);
    expect(within(difficulty).getByRole<HTMLInputElement>('radio', { name: 'medium' }).checked).toBe(true);
    expect(screen.getByRole('checkbox', { name: 'Explain' })).toBeTruthy();
    expect(screen.getByRole('textbox', { name: 'Tone of voice' })).toBeTruthy();
    expect(screen.getByRole('combobox', { name: 'Language' })).toBeTruthy();
  });

  test('options are sent as set, others with their default, and nothing empty', async () => {
    const onAsk = vi.fn();
    render(<Asking onAsk={onAsk} />);
    await userEvent.type(field(), 'The planets');
    await userEvent.click(screen.getByRole('radio', { name: 'hard' }));
    await userEvent.click(screen.getByRole('button', { name: 'More questions' }));
    await userEvent.type(screen.getByRole('textbox', { name: 'Tone of voice' }), 'x{Backspace}');
    await ask();
    const input = { prompt: 'The planets', options: { questions: 4, difficulty: 'hard' } };
    expect(onAsk).toHaveBeenCalledExactlyOnceWith(input, 'quiz');
  });

  test('the stepper stays within its bounds, by button, key and typing', async () => {
    render(<Asking />);
    const number = screen.getByRole<HTMLInputElement>('spinbutton', { name: 'Questions' });
    await userEvent.type(number, '{ArrowUp}{ArrowUp}{ArrowUp}');
    expect(number.value).toBe('4');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'More questions' }).disabled).toBe(true);
    await userEvent.clear(number);
    await userEvent.type(number, '0{Tab}');
    expect(number.value).toBe('1');
    await userEvent.clear(number);
    await userEvent.type(number, 'many{Tab}');
    expect(number.value).toBe('1');
  });

  test('a required option must be set before asking', async () => {
    const onAsk = vi.fn();
    const options = { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] };
    render(<Asking blocks={[aBlock({ options })]} onAsk={onAsk} />);
    await userEvent.type(field('Ask a question'), 'Rain?');
    await ask();
    expect(onAsk).not.toHaveBeenCalled();
    expect(screen.getByText('Required.')).toBeTruthy();
  });

  test('a problem with an option is shown next to it', () => {
    const problem = { code: 'invalid_input', message: 'At most 4.', isRetryable: false, field: 'questions' };
    render(<Asking problem={problem} />);
    const described = screen.getByRole('spinbutton').getAttribute('aria-describedby') ?? '';
    expect(document.getElementById(described)?.textContent).toBe('At most 4.');
    expect(screen.queryByRole('alert')).toBeNull();
  });
});

describe('the prompt', () => {
  test('Enter asks, also with Ctrl or Cmd; Shift+Enter breaks the line; an empty field is never asked', async () => {
    const onAsk = vi.fn();
    render(<Asking onAsk={onAsk} />);
    await userEvent.type(field(), ' {Enter}{Control>}{Enter}{/Control}');
    await userEvent.type(field(), 'a{Shift>}{Enter}{/Shift}b');
    expect(onAsk).not.toHaveBeenCalled();
    await userEvent.type(field(), '{Enter}{Control>}{Enter}{/Control}{Meta>}{Enter}{/Meta}');
    expect(onAsk).toHaveBeenCalledTimes(3);
    expect(onAsk.mock.lastCall?.[0].prompt).toBe('a\nb');
    expect(screen.getByText('Press Enter to ask, Shift+Enter for a new line')).toBeTruthy();
  });

  test.each([
    ['composes', { isComposing: true }],
    ['has just ended its composition, as in Safari', { keyCode: 229 }],
  ])('Enter that belongs to an input method that %s asks nothing', (_, taken) => {
    const onAsk = vi.fn();
    render(<Asking onAsk={onAsk} />);
    fireEvent.change(field(), { target: { value: '空はなぜ青い' } });
    for (const modifier of [{}, { ctrlKey: true }]) {
      expect(fireEvent.keyDown(field(), { key: 'Enter', ...taken, ...modifier })).toBe(true);
    }
    expect(onAsk).not.toHaveBeenCalled();
    fireEvent.keyDown(field(), { key: 'Enter', keyCode: 13 });
    expect(onAsk).toHaveBeenCalledOnce();
  });

  test('on a touch keyboard Enter breaks the line, as its key says', () => {
    vi.stubGlobal('matchMedia', () => ({ matches: true }));
    const onAsk = vi.fn();
    render(<Asking onAsk={onAsk} />);
    fireEvent.change(field(), { target: { value: 'a' } });
    expect(fireEvent.keyDown(field(), { key: 'Enter' })).toBe(true);
    expect(onAsk).not.toHaveBeenCalled();
    expect(field().getAttribute('enterkeyhint')).toBe('enter');
    expect(screen.queryByText(/Press Enter/u)).toBeNull();
    fireEvent.keyDown(field(), { key: 'Enter', ctrlKey: true });
    expect(onAsk).toHaveBeenCalledOnce();
  });

  test('takes its direction and language from what is written', async () => {
    render(<Asking />);
    expect(field().getAttribute('dir')).toBe('auto');
    expect(field().hasAttribute('lang')).toBe(false);
    await userEvent.type(field(), '空はなぜ青い');
    expect(field().getAttribute('lang')).toBe('ja');
  });

  test('the counter appears near the limit, and nothing is asked beyond it', async () => {
    const onAsk = vi.fn();
    render(<Asking blocks={[aBlock({ prompt_limit: 10 })]} onAsk={onAsk} />);
    const input = field('Ask a question');
    await userEvent.type(input, '1234567');
    expect(document.querySelector('.counter')?.textContent).toBe('');
    await userEvent.type(input, '8');
    expect(screen.getByText('8 of 10 characters')).toBeTruthy();
    await userEvent.type(input, '9012');
    expect(screen.getByText('2 characters over the limit')).toBeTruthy();
    expect(input.getAttribute('aria-invalid')).toBe('true');
    await ask();
    expect(onAsk).not.toHaveBeenCalled();
  });

  test('an emoji counts as one character, as on the server', async () => {
    render(<Asking blocks={[aBlock({ prompt_limit: 2 })]} />);
    await userEvent.type(field('Ask a question'), '🦉🦉');
    expect(screen.getByText('2 of 2 characters')).toBeTruthy();
  });

  test('the draft and its options survive a reload, one per block', async () => {
    const first = render(<Asking />);
    await userEvent.type(field(), 'The planets');
    await userEvent.click(screen.getByRole('radio', { name: 'easy' }));
    first.unmount();
    render(<Asking />);
    expect(field().value).toBe('The planets');
    expect(screen.getByRole<HTMLInputElement>('radio', { name: 'easy' }).checked).toBe(true);
    cleanup();
    render(<Asking blocks={[aBlock()]} />);
    expect(field('Ask a question').value).toBe('');
  });

  test('in blocked storage a draft lasts as long as the page', async () => {
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    const first = render(<Asking />);
    await userEvent.type(field(), 'abc');
    expect(field().value).toBe('abc');
    first.unmount();
    render(<Asking />);
    expect(field().value).toBe('abc');
    vi.restoreAllMocks();
    await userEvent.clear(field()); // the storage takes it again
  });

  test('an example is asked of its block at once, and leaves what was typed', async () => {
    const onAsk = vi.fn();
    const examples = [{ prompt: 'The moons', kind: 'quiz' }];
    render(
      <Asking
        blocks={[aBlock(), QUIZ]}
        examples={examples}
        onAsk={onAsk}
        optionsOf={() => ({ difficulty: 'hard', questions: 99 })}
        label="What?"
      />,
    );
    await userEvent.type(field('What?'), 'Why');
    await userEvent.click(screen.getByRole('button', { name: 'The moons' }));
    const input = { prompt: 'The moons', options: { questions: 3, difficulty: 'hard' } };
    expect(onAsk).toHaveBeenCalledExactlyOnceWith(input, 'quiz');
    expect(field('What?').value).toBe('Why');
  });

  test('an example whose block still needs an option fills the field and picks the block', async () => {
    const onAsk = vi.fn();
    const options = { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] };
    const blocks = [QUIZ, aBlock({ options })];
    const examples = [{ prompt: 'Rain?', kind: 'ask-question' }];
    render(<Asking blocks={blocks} examples={examples} onAsk={onAsk} label="What?" />);
    await userEvent.click(screen.getByRole('button', { name: 'Rain?' }));
    expect(onAsk).not.toHaveBeenCalled();
    expect(screen.getByRole('textbox', { name: 'Town' })).toBeTruthy();
    expect(screen.getByText('Required.')).toBeTruthy();
  });

  test('options that the block does not allow are neither shown nor sent', async () => {
    const onAsk = vi.fn();
    const options = { difficulty: 'brutal', questions: 9, language: 'French', reading_level: 3 };
    render(<Asking options={options} onAsk={onAsk} />);
    expect(screen.getByRole<HTMLInputElement>('radio', { name: 'medium' }).checked).toBe(true);
    await userEvent.type(field(), 'The planets');
    await ask();
    expect(onAsk.mock.lastCall?.[0].options).toEqual({ questions: 3, difficulty: 'medium', language: 'French' });
  });

  test('with several blocks, radio buttons choose among them', async () => {
    render(<Asking blocks={[aBlock(), QUIZ]} label="What?" />);
    expect(screen.queryByRole('spinbutton')).toBeNull();
    await userEvent.click(screen.getByRole('radio', { name: 'Quiz' }));
    expect(screen.getByRole('spinbutton', { name: 'Questions' })).toBeTruthy();
  });
});

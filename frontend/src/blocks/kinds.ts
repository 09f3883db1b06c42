/** The texts that depend on the kind of block. */
import type { BlockInfo, OutputName } from '@liveai/client';

/** Three example prompts; none for a block that an admin added. */
export function examplesOf(block: Pick<BlockInfo, 'slug'>): readonly string[] {
  return EXAMPLES[block.slug] ?? [];
}

/** The placeholder of the prompt field. */
export function placeholderOf(block: Pick<BlockInfo, 'slug' | 'description'>): string {
  return PLACEHOLDERS[block.slug] ?? (block.description || 'What would you like to know?');
}

/** The words on the button that asks. */
export function askWordsOf(output: OutputName): string {
  return ASK[output];
}

/** The text beside the wire until the first word arrives. */
export function waitingWordsOf(output: OutputName): string {
  return WAITING[output];
}

// Subjects that the demo model answers well, chosen by reading fifty for each block.
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'ask-question': ['What is photosynthesis?', 'Who was Shakespeare?', 'Why is exercise good for you?'],
  'explain-eli10': ['The Internet', 'Black holes', 'Gravity'],
  quiz: ['Rivers', 'Fruit', 'Countries of Europe'],
  diagram: ['Planning a trip', 'Making tea', 'The scientific method'],
};

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  'ask-question': 'Ask anything',
  'explain-eli10': 'What would you like explained? A word, a question or a whole text',
  quiz: 'What should the quiz be about?',
  diagram: 'What should be drawn? A process, or the parts of something',
};

const ASK: Readonly<Record<OutputName, string>> = {
  markdown: 'Ask',
  quiz: 'Make quiz',
  diagram: 'Draw',
  json: 'Ask',
};

const WAITING: Readonly<Record<OutputName, string>> = {
  markdown: 'Reading the question',
  quiz: 'Thinking of the first question',
  diagram: 'Thinking of the first step',
  json: 'Reading the question',
};
